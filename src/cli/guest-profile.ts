// `--cpu-profile`: where the guest spends its virtual time, as a V8 CPU profile (the format of .cpuprofile files, which VS Code
// and Chromium's tools open). The schedule runs one vCPU at a time on one clock, so one line of samples holds all of them.
import type { MachineApi } from '../machine/api.ts';
import type { KernelSymbols, NamedPlace } from './kernel-symbols.ts';

/** Ticks between two samples, about 0.1 ms. A prime: a multiple of the quantum would always see the same vCPU. */
export const SAMPLE_INTERVAL = 99_991;

/** Protocol `Profiler.ProfileNode` of V8's inspector. */
interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    /** From 0 on; -1: unknown. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  hitCount: number;
  readonly children: number[];
}
/** Protocol `Profiler.Profile`; times in microseconds of virtual time. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  /** Id of the node of each sample, and the time since the sample before. A sample lasts until the next one. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** What a vCPU executed at a sample. */
interface Place {
  readonly vcpu: number;
  readonly ring: number;
  /** Linear address. */
  readonly rip: bigint;
}
interface Sample {
  /** undefined: every processor was halted. */
  readonly place: Place | undefined;
  /** Virtual time, in nanoseconds, from which on it counts. */
  readonly from: bigint;
}
const PAGE = 0x1000n;
const hex = (value: bigint): string => `0x${value.toString(16)}`;
const microseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1000n);

/** Takes samples between slices: it reads state and never writes any, so the guest is the same with and without it. */
export class GuestProfile {
  private readonly machine: MachineApi;
  private readonly start: bigint;
  private readonly places = new Map<string, Place>();
  private readonly samples: Sample[] = [];
  // what was seen at the last sample
  private clock: bigint;
  private ticks: bigint;

  constructor(machine: MachineApi) {
    this.machine = machine;
    this.start = this.clock = machine.clock;
    this.ticks = machine.instructions;
  }

  /** Ticks until the next sample is due. */
  get left(): number {
    return SAMPLE_INTERVAL - Number(this.machine.instructions - this.ticks);
  }
  /** After a slice: takes the sample if it is due. */
  look(): void {
    if (this.left <= 0) this.sample();
  }
  /** The time since the last sample: the ticks are the place's where they ended, what is beyond them was idle. */
  private sample(): void {
    const { clock, instructions } = this.machine;
    const used = instructions - this.ticks;
    if (used > 0n) this.add(this.here(), this.clock);
    if (clock > this.clock + used) this.add(undefined, this.clock + used);
    this.clock = clock;
    this.ticks = instructions;
  }
  private add(place: Place | undefined, from: bigint): void {
    if (this.samples.at(-1)?.place !== place || this.samples.length === 0) this.samples.push({ place, from });
  }
  private here(): Place {
    const { engine } = this.machine;
    const vcpu = engine.current;
    const state = engine.vcpu(vcpu);
    const rip = BigInt.asUintN(64, state.rip + state.cs.base);
    const place = { vcpu, ring: state.cpl, rip };
    const key = `${vcpu} ${place.ring} ${rip}`;
    const known = this.places.get(key);
    if (known === undefined) this.places.set(key, place);
    return known ?? place;
  }

  /** Ends the profile: its samples by symbol, by page where there is none. */
  async finish(symbols: KernelSymbols): Promise<CpuProfile> {
    this.sample();
    const tree = new ProfileTree();
    const nodes = new Map<Place | undefined, ProfileNode>();
    for (const { place } of this.samples) {
      if (nodes.has(place)) continue;
      nodes.set(place, place === undefined ? tree.idle : tree.nodeOf(place, await symbols.at(place.rip)));
    }
    const samples: number[] = [];
    const timeDeltas: number[] = [];
    let time = this.start;
    for (const { place, from } of this.samples) {
      const node = nodes.get(place) ?? tree.idle;
      node.hitCount++;
      samples.push(node.id);
      timeDeltas.push(microseconds(from) - microseconds(time));
      time = from;
    }
    return {
      nodes: tree.nodes,
      startTime: microseconds(this.start),
      endTime: microseconds(this.clock),
      samples,
      timeDeltas,
    };
  }
}

/** Root, below it a node for each vCPU and ring, below those the symbols. */
class ProfileTree {
  readonly nodes: ProfileNode[] = [];
  private readonly known = new Map<string, ProfileNode>();
  private readonly root = this.add(undefined, '(root)');
  private idleNode: ProfileNode | undefined;

  /** The name is the one that profile viewers know. */
  get idle(): ProfileNode {
    return (this.idleNode ??= this.add(this.root, '(idle)'));
  }
  nodeOf({ vcpu, ring, rip }: Place, named: NamedPlace | undefined): ProfileNode {
    const above = this.child(this.root, `vCPU ${vcpu}, ring ${ring}`);
    const page = rip - (rip % PAGE);
    return this.child(above, named?.name ?? `${hex(page)}-${hex(page + PAGE - 1n)}`, named?.source);
  }
  private child(above: ProfileNode, name: string, source?: NamedPlace['source']): ProfileNode {
    const key = `${above.id} ${name}`;
    let node = this.known.get(key);
    if (node === undefined) this.known.set(key, (node = this.add(above, name, source)));
    return node;
  }
  private add(above: ProfileNode | undefined, functionName: string, source?: NamedPlace['source']): ProfileNode {
    const url = source?.path.startsWith('/') === true ? `file://${encodeURI(source.path)}` : (source?.path ?? '');
    const lineNumber = source === undefined ? -1 : source.line - 1;
    const callFrame = { functionName, scriptId: '0', url, lineNumber, columnNumber: -1 };
    const node: ProfileNode = { id: this.nodes.length + 1, callFrame, hitCount: 0, children: [] };
    this.nodes.push(node);
    above?.children.push(node.id);
    return node;
  }
}
