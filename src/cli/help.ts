// What `trapline --help` says.

export const HELP = `Trapline runs guest kernels on an x86-64 multiprocessor machine of its own, for CI and for debuggers.

usage: trapline run --kernel FILE [options]
       trapline dap [--port N [--no-token] | --socket PATH]
       trapline --version | --help

trapline run: boots a kernel; its first serial port is this terminal
  --kernel FILE           Linux kernel image (bzImage), ELF kernel with a PVH entry point (vmlinux), or Multiboot
                          kernel, ELF32 or ELF64 (required)
  --initrd FILE           initial RAM disk; to a Multiboot kernel, its first module
  --append STRING         command line of the kernel
  --smp N                 number of processors, 1 to 16 (default 1)
  --memory SIZE           RAM, for example 512M or 1G; at most 3G (default 128M)
  --profile intel|amd     whose processor it is where the two differ (default intel)
  --bus-lock-detection    CPUID announces bus-lock detection; DEBUGCTL and DR6 have its bits
  --rtc DATE              the real-time clock at power-on, in ISO 8601 (default 2025-01-01T00:00:00Z)
  --clock virtual         what makes time pass: the instructions that are executed (the only choice)
  --disk FILE[,writable]  a raw disk image as virtio disk; may be given several times. What the guest writes stays in
                          memory and is lost at the end, unless ",writable" is there
  --rng SEED              a virtio entropy device, whose numbers follow from SEED
  --port FILE             a virtio console (Linux: /dev/hvc0), whose output goes to FILE
  --port-input FILE       a virtio console, whose input is FILE; it goes in when the guest has written something
  --no-jit                interpret everything
  --until REGEX           end with status 0 when the console output matches
  --max-instructions N    end with status 124 after N instructions of all processors
  --timeout SECONDS       end with status 124 after this time on the wall clock
  --stats FILE            write statistics as one JSON object
  --ledger FILE           write each debug trap with its owner, one JSON object a line
  --cpu-profile FILE.cpuprofile
                          write where the guest spent its time, by symbol; VS Code opens it
  --digest                print the digest of the guest's final state on standard error

  Runs are deterministic: the same input gives the same output and the same digest. With a terminal as input, idle time
  follows the wall clock, Ctrl-A x ends the run, and Ctrl-A Ctrl-A sends a Ctrl-A. A Linux guest needs console=ttyS0 in
  --append, and 128M or more.

trapline dap: the debug adapter for VS Code and other DAP clients, on standard input and output unless said
  --port N                serve one client at a time on 127.0.0.1:N (0: a free port). The port and a token are printed on
                          standard error; a client sends the token as "token" in its launch configuration
  --no-token              every program and user of this machine that can reach the port may use it
  --socket PATH           serve one client at a time on a Unix socket that its owner alone can reach, or on a named pipe
                          of Windows

  A first SIGINT, SIGTERM or SIGHUP ends run and dap cleanly: locks and sockets are let go, the terminal is as it was.

exit status
  0    --until matched, or the guest powered off or reset the machine
  2    bad usage or unreadable input
  4    triple fault: the processor, its RIP and the vectors that led there are on standard error
  124  --timeout or --max-instructions, or all processors halted for good
  128 + the signal's number when a signal ended it: 129, 130 or 143
  (value << 1 | 1) & 0xff when the guest writes value to isa-debug-exit (port 0xF4)
`;
