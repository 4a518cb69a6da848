// Where the state of a vCPU is: the running one's at constant addresses, the others' in their saved areas.
import * as L from '../../../layout';

@inline export function areaOf(vcpu: u32): usize {
  return vcpu == load<u32>(L.VCPU) ? L.STATE : L.VCPU_AREAS + <usize>vcpu * L.VCPU_AREA_SIZE;
}
