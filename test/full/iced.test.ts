// The decode table against iced-x86 at length: see test/oracle/iced.test.ts.
import { describeAgreement } from '../oracle/iced-agreement-test.ts';

describeAgreement(1_000_000);
