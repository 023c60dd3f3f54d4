// SPDX-License-Identifier: Apache-2.0
// The site's search runs in a worker, and browsers start none for a page that was opened from a disk. There this class
// stands for it: the same script in a hidden frame, with messages handed to and fro. Elsewhere nothing is changed.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #waiting = [];
    #inner = null;

    constructor(script) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.addEventListener("load", () => this.#start(frame.contentWindow, new URL(script, location.href)), { once: true });
      document.body.append(frame);
    }

    #start(inner, script) {
      inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const element = inner.document.createElement("script");
      element.src = script.href;
      element.addEventListener("load", () => {
        this.#inner = inner;
        this.#waiting.splice(0).forEach((data) => this.postMessage(data));
      });
      inner.document.body.append(element);
    }

    postMessage(data) {
      if (this.#inner) this.#inner.dispatchEvent(new this.#inner.MessageEvent("message", { data }));
      else this.#waiting.push(data);
    }
  };
}
