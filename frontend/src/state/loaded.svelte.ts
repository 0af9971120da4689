// Something that is fetched: waiting, there, or refused. A later request overtakes an earlier one.
import { Refusal } from "../api/client";

export class Loaded<T> {
  value: T | undefined = $state.raw(undefined);
  refusal: Refusal | undefined = $state.raw(undefined);
  busy = $state(false);
  private under_way: AbortController | undefined;
  private last: ((signal: AbortSignal) => Promise<T>) | undefined;

  /** Fetches; `keep` leaves the old value on the page until the new one is there. */
  async load(fetching: (signal: AbortSignal) => Promise<T>, keep = true): Promise<void> {
    this.last = fetching;
    this.under_way?.abort();
    const mine = new AbortController();
    this.under_way = mine;
    this.busy = true;
    if (!keep) this.value = undefined;
    try {
      const value = await fetching(mine.signal);
      if (mine !== this.under_way) return;
      this.value = value;
      this.refusal = undefined;
    } catch (error) {
      if (mine !== this.under_way || mine.signal.aborted) return;
      this.value = undefined;
      this.refusal = error instanceof Refusal ? error : new Refusal(-1, [String(error)]);
    }
    this.busy = false;
  }

  /** Fetches the same once more. */
  again(): void {
    if (this.last) void this.load(this.last);
  }
}
