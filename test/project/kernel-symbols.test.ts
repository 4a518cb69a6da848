// Where the symbols of the Linux guest's kernel come from, with an archive of our own in place of Debian's.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { kernelSymbols, type KernelOfGuest } from '../../scripts/linux-guest/kernel-symbols.ts';

/**
 * An archive as it is in the days after a security update: the meta-package of the symbols names a newer kernel than that
 * of the images. `apt-get download` knows the packages in `files`; their contents are one vmlinux that tells their name.
 */
function archive(t: TestContext, files: readonly string[]): KernelOfGuest {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-archive-'));
  const program = (name: string, script: string): void => {
    const file = path.join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  };
  program(
    'apt-cache',
    'printf "Package: meta\\nVersion: 2\\nDepends: linux-image-2-cloud-amd64-dbg (= 2)\\n"', // whatever is asked
  );
  program(
    'apt-get',
    `for one; do wanted=$one; done
case " ${files.join(' ')} " in
  *" $wanted "*) echo "$wanted" > package.deb ;;
  *) echo "E: Version for '$wanted' was not found"; exit 100 ;;
esac`,
  );
  program(
    'dpkg-deb',
    `mkdir -p "${folder}/usr/lib/debug/boot" && cp "$2" "${folder}/usr/lib/debug/boot/vmlinux-1" &&
tar -C "${folder}" -cf - ./usr/lib/debug/boot/vmlinux-1`,
  );
  const cache = path.join(folder, 'linux', '1', 'hash');
  mkdirSync(cache, { recursive: true });
  const before = process.env['PATH'];
  process.env['PATH'] = `${folder}:${before ?? ''}`;
  t.after(() => {
    process.env['PATH'] = before;
    rmSync(folder, { recursive: true });
  });
  return { kernel: path.join(cache, 'vmlinuz'), packageName: 'linux-image-1-cloud-amd64', version: '1' };
}

test("the symbols come from the kernel's own package, whatever the meta-package says", async (t) => {
  const guest = archive(t, ['linux-image-1-cloud-amd64-dbg=1', 'linux-image-2-cloud-amd64-dbg=2']);
  const vmlinux = await kernelSymbols(guest);
  assert.equal(readFileSync(vmlinux, 'utf8').trim(), 'linux-image-1-cloud-amd64-dbg=1');
  assert.equal(path.basename(path.dirname(vmlinux)), '1', 'beside the kernel of the same version');
});

test('symbols that the archive has not are named, with advice', async (t) => {
  const guest = archive(t, ['linux-image-2-cloud-amd64-dbg=2']);
  await assert.rejects(
    kernelSymbols(guest),
    /linux-image-1-cloud-amd64-dbg 1 could not be downloaded.*apt-get update/s,
  );
});
