#!/bin/sh
# Prints toolchain.json: which tools made the committed ELF files, and what came out.
version() { "$1" --version | head -n 1; }
hash() { sha256sum "$1" | cut -d ' ' -f 1; }
cat <<END
{
  "gcc": "$(version gcc)",
  "ld": "$(version ld)",
  "as": "$(version as)",
  "objcopy": "$(version objcopy)",
  "sha256": {
    "smp.elf": "$(hash smp.elf)",
    "smp32.elf": "$(hash smp32.elf)"
  }
}
END
