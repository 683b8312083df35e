// Base of the page's elements: light DOM, drawn again when the language changes.

export abstract class Element extends HTMLElement {
  private redraw = (): void => this.draw();

  connectedCallback(): void {
    document.addEventListener("teapot-language", this.redraw);
    this.draw();
  }

  disconnectedCallback(): void { document.removeEventListener("teapot-language", this.redraw); }

  /** draw replaces the element's children with its present state. */
  abstract draw(): void;
}

export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
