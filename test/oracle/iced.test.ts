// The decode table against iced-x86: every form, and random bytes.
import { describeAgreement } from './iced-agreement-test.ts';

describeAgreement(100_000);
