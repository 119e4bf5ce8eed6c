// <fl-live totals="/statistics.json" rows="/symbols.json?…"> around the tiles and the table of
// symbols: asks now and then and writes what has changed into the page, marked for a moment. The
// table's heads say which member of a row stands below them (data-member, data-server). Silent
// when the server is away, and while nobody looks.

type Totals = Record<string, number>;
type Row = Record<string, unknown>;

const everyMs = 30_000;
const markedMs = 4_000;

function share(count: number, of: number): string {
  return `${Math.round((100 * count) / Math.max(1, of))}%`;
}

function count(row: Row, member: string): number {
  return Number(row[member] ?? 0);
}

class Live extends HTMLElement {
  private timer = 0;
  private readonly look = (): void => {
    if (!document.hidden) void this.refresh();
  };

  connectedCallback(): void {
    this.timer = window.setInterval(this.look, Number(this.getAttribute("every") ?? everyMs));
    document.addEventListener("visibilitychange", this.look);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.look);
  }

  private async refresh(): Promise<void> {
    const totals = await this.ask<Totals>("totals");
    if (totals !== null) this.showTotals(totals);
    const rows = await this.ask<Record<string, Row>>("rows");
    if (rows !== null) this.showRows(rows);
  }

  private async ask<T>(attribute: string): Promise<T | null> {
    try {
      const response = await fetch(this.getAttribute(attribute) ?? "", { cache: "no-store" });
      return response.ok ? ((await response.json()) as T) : null;
    } catch {
      return null;
    }
  }

  private showTotals(totals: Totals): void {
    const texts: Record<string, string> = {
      numRequests: String(totals.numRequests),
      numExcluded: String(totals.numExcluded),
      numSymbols: String(totals.numSymbols),
      success: share(totals.numSuccess, totals.numAcceptedRequests),
      hit: share(totals.numCacheHit, totals.numAcceptedRequests),
      diskUsage: `${Math.round(totals.diskUsage / 1048576)} MB`,
    };
    this.querySelectorAll<HTMLElement>("[data-figure]").forEach((figure) => {
      const text = texts[figure.dataset.figure ?? ""];
      if (text !== undefined) this.write(figure, figure, text);
    });
  }

  private showRows(rows: Record<string, Row>): void {
    const heads = Array.from(this.querySelectorAll<HTMLElement>(".symbols thead th"));
    this.querySelectorAll<HTMLTableRowElement>(".symbols tbody tr").forEach((line) => {
      const row = rows[line.cells[0]?.textContent ?? ""];
      if (row === undefined) return;
      heads.forEach((head, i) => {
        if (i === 0 || line.cells[i] === undefined) return;
        const member = head.dataset.member ?? "";
        this.write(line.cells[i], line, this.textOf(row, member, head.dataset.server ?? ""));
      });
    });
  }

  private textOf(row: Row, member: string, server: string): string {
    if (server !== "") return String((row[member] as Record<string, number>)[server] ?? 0);
    const value = count(row, member);
    switch (member) {
      case "numSuccess":
      case "numExcluded":
      case "numCacheHit":
        return `${value} (${share(value, count(row, "numRequests"))})`;
      case "totalTimeServicing":
        return `${value.toFixed(1)} s`;
      case "lastAccessTime":
        return new Date(value * 1000).toISOString().slice(0, 19).replace("T", " ");
      default:
        return String(value);
    }
  }

  private write(place: HTMLElement, marked: HTMLElement, text: string): void {
    if (place.textContent === text) return;
    const time = place.querySelector("time");
    if (time !== null) {
      time.textContent = text;
      time.dateTime = `${text.replace(" ", "T")}Z`;
    } else {
      place.textContent = text;
    }
    marked.classList.add("changed");
    window.setTimeout(() => marked.classList.remove("changed"), markedMs);
  }
}

customElements.define("fl-live", Live);
