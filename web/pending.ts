// <fl-pending src="/api/v1/reports/ID">: asks now and then, and loads the page again when the
// report has been processed. Slower the longer it takes; silent when the server is away.

class Pending extends HTMLElement {
  private timer = 0;
  private delayMs = 500;

  connectedCallback(): void {
    this.wait();
  }

  disconnectedCallback(): void {
    window.clearTimeout(this.timer);
  }

  private wait(): void {
    this.timer = window.setTimeout(() => void this.ask(), this.delayMs);
    this.delayMs = Math.min(this.delayMs * 1.5, 10_000);
  }

  private async ask(): Promise<void> {
    try {
      const response = await fetch(this.getAttribute("src") ?? "", { cache: "no-store" });
      const report: { state?: string } = await response.json();
      if (report.state === "done" || report.state === "failed") {
        window.location.reload();
        return;
      }
    } catch {
      // The server may be starting again; the next question will tell.
    }
    this.wait();
  }
}

customElements.define("fl-pending", Pending);
