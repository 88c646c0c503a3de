const MOST = 200; // of one question

/** The plates of vehicles, asked for when they are first needed; `arrived` is told when more are known. */
export class Names {
  #known = new Map();
  #asked = new Set();
  #waiting = new Set();
  #timer = 0;

  constructor(url, arrived) {
    this.url = url;
    this.arrived = arrived;
  }

  /** Return the plate of an asset, or "" while it is not known yet. */
  get(asset) {
    if (!this.#known.has(asset) && !this.#asked.has(asset)) {
      this.#waiting.add(asset);
      this.#timer ||= setTimeout(() => this.#ask(), 120);
    }
    return this.#known.get(asset) ?? "";
  }

  async #ask() {
    this.#timer = 0;
    const part = [...this.#waiting].slice(0, MOST);
    for (const asset of part) {
      this.#waiting.delete(asset);
      this.#asked.add(asset);
    }
    if (this.#waiting.size) this.#timer = setTimeout(() => this.#ask(), 300);
    try {
      const response = await fetch(`${this.url}?of=${part.join(",")}`, { headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
      for (const [asset, name] of Object.entries(await response.json())) this.#known.set(Number(asset), name);
      this.arrived();
    } catch {
      setTimeout(() => part.forEach((asset) => this.#asked.delete(asset)), 5000); // asked again when it is needed again
    }
  }
}
