// <fl-live src="/status/symbols?…"> around what changes: asks for that page again now and then, and
// makes what stands here what stands there, marked for a moment. What is on both stays the element
// that it was (by its data-key, else by its place): so the focus stays, what was unfolded, what was
// typed; and the line on top of the window stays there when others come before it.
// Silent when the server is away, and while nobody looks.

const everyMs = 30_000;
const markedMs = 4_000;
const markable = "tbody tr, dd, summary";

function mark(element: Element): void {
  element.classList.add("changed");
  window.setTimeout(() => element.classList.remove("changed"), markedMs);
}

function keyOf(node: Node): string {
  return node instanceof Element ? (node.getAttribute("data-key") ?? "") : "";
}

// The reader unfolds, and we mark: the server knows of neither.
function isOurs(element: Element, attribute: string): boolean {
  return attribute === "open" || (attribute === "class" && element.matches(markable));
}

function followAttributes(place: Element, fresh: Element): void {
  for (const name of place.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && !isOurs(place, name)) place.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name) ?? "";
    if (place.getAttribute(name) !== value && !isOurs(place, name)) place.setAttribute(name, value);
  }
}

// The children with keys that stay; those that do not are gone.
function keepKnown(place: Element, fresh: Element): Map<string, Element> {
  const wanted = new Set(Array.from(fresh.children, keyOf));
  const kept = new Map<string, Element>();
  for (const child of Array.from(place.children)) {
    const key = keyOf(child);
    if (key === "") continue;
    if (wanted.has(key)) kept.set(key, child);
    else child.remove();
  }
  return kept;
}

function insert(place: Element, fresh: Node, before: Node | null): void {
  place.insertBefore(fresh, before);
  if (!(fresh instanceof Element)) return;
  if (fresh.matches(markable)) mark(fresh);
  fresh.querySelectorAll(markable).forEach(mark);
}

function followChildren(place: Element, fresh: Element): void {
  const kept = keepKnown(place, fresh);
  let at = place.firstChild;
  for (const next of Array.from(fresh.childNodes)) {
    const key = keyOf(next);
    const isHere = at !== null && at.nodeName === next.nodeName && keyOf(at) === "";
    const known = key !== "" ? (kept.get(key) ?? null) : isHere ? at : null;
    if (known === null) {
      insert(place, next, at);
      continue;
    }
    if (known === at) at = at.nextSibling;
    else place.insertBefore(known, at);
    follow(known, next);
  }
  while (at !== null) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function follow(place: Node, fresh: Node): void {
  if (!(place instanceof Element) || !(fresh instanceof Element)) {
    if (place.nodeValue !== fresh.nodeValue) place.nodeValue = fresh.nodeValue;
    return;
  }
  const before = place.textContent;
  followAttributes(place, fresh);
  followChildren(place, fresh);
  if (place.matches(markable) && place.textContent !== before) mark(place);
}

class Live extends HTMLElement {
  private timer = 0;
  private isAsking = false;
  private readonly look = (): void => {
    if (!document.hidden && !this.isAsking) void this.refresh();
  };

  connectedCallback(): void {
    this.timer = window.setInterval(this.look, everyMs);
    document.addEventListener("visibilitychange", this.look);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.look);
  }

  private async refresh(): Promise<void> {
    this.isAsking = true;
    try {
      const response = await fetch(this.getAttribute("src") ?? "", { cache: "no-store" });
      if (response.ok) this.show(await response.text());
    } catch {
      // The server may be starting again; the next question will tell.
    } finally {
      this.isAsking = false;
    }
  }

  private show(page: string): void {
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("fl-live");
    if (fresh === null) return;
    const line = this.lineOnTop();
    const top = line?.getBoundingClientRect().top ?? 0;
    follow(this, fresh);
    if (line?.isConnected) window.scrollBy(0, line.getBoundingClientRect().top - top);
  }

  // Who has not scrolled sees what comes first.
  private lineOnTop(): Element | undefined {
    if (window.scrollY === 0) return undefined;
    const lines = Array.from(this.querySelectorAll("tr, section, h2, form"));
    return lines.find((line) => line.getBoundingClientRect().top >= 0);
  }
}

customElements.define("fl-live", Live);
