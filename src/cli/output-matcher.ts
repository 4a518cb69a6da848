// Looks for --until in what the guest prints.

/** How far back a match may begin. */
const WINDOW = 8192;

export class OutputMatcher {
  private readonly expression: RegExp;
  private readonly decoder = new TextDecoder();
  private text = '';
  /** The output has matched. */
  matched = false;

  constructor(expression: RegExp) {
    this.expression = expression;
  }
  /** Takes the next bytes of output; true once it has matched. */
  add(bytes: Uint8Array): boolean {
    if (this.matched) return true;
    this.text += this.decoder.decode(bytes, { stream: true }).replaceAll('\r', '');
    this.matched = this.expression.test(this.text);
    if (this.text.length > 2 * WINDOW) this.text = this.text.slice(-WINDOW);
    return this.matched;
  }
}
