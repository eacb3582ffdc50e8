/**
 * What a built-in returns when its last message is not its return value: `core.subscribe` ends with
 * the last message of the job it follows. The state follows `isSuccess`, the code is 0.
 */
export class FinalMessage {
  readonly level: number;
  readonly text: string;
  readonly isSuccess: boolean;

  constructor(message: { level: number; text: string; isSuccess: boolean }) {
    this.level = message.level;
    this.text = message.text;
    this.isSuccess = message.isSuccess;
  }
}
