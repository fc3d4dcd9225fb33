/// What makes the dashboard's page live: parts that are replaced in place, times of the reader's clock, a search, countdowns.
/// Without it the page is the same, and stands still.
enum DashboardScript {
  static let text = #"""
    "use strict";
    (() => {
      \#(LocalTimesScript.text)
      const template = document.createElement("template");
      const find = id => document.getElementById(id);
      const pristine = new Map(), later = new Map(), begun = new Set();

      // What has to be done once to whatever comes into the page.
      const prepare = root => {
        showLocalTimes(root);
        for (const span of root.querySelectorAll("[data-until]")) {
          span.removeAttribute("style");
          span.className = "";
        }
        for (const button of root.querySelectorAll(".copy")) button.hidden = false;
        count(root);
      };
      const count = root => {
        for (const span of root.querySelectorAll("[data-until]")) {
          span.textContent = Math.max(0, Math.ceil((new Date(span.dataset.until) - Date.now()) / 1000));
        }
      };
      const say = text => { find("news").textContent = text };

      // Typed text and what is under the keyboard's focus are the reader's: they wait.
      const isBusy = item => [...item.querySelectorAll("input:not([type=hidden])")].some(i => i.value !== i.defaultValue)
        || item.contains(document.activeElement) && /^(INPUT|SELECT)$/.test(document.activeElement.tagName);
      const targets = item => [...item.querySelectorAll("a, button, input, select, summary")];

      const renew = (id, html, news) => {
        template.innerHTML = html;
        const fresh = template.content.firstElementChild, text = fresh.outerHTML, old = find(id);
        if (old && pristine.get(id) === text) return old;
        if (old && isBusy(old)) { later.set(id, html); return old }
        later.delete(id);
        pristine.set(id, text);
        for (const told of [fresh, ...fresh.querySelectorAll("[data-news]")]) {
          if (told.dataset.news && !find(told.id)?.dataset.news) news.push(told.dataset.news);
        }
        prepare(fresh);
        if (!old) return fresh;
        for (const open of old.querySelectorAll("details[open]")) {
          const same = fresh.querySelector("#" + CSS.escape(open.id));
          if (same) same.open = true;
        }
        const focus = old.contains(document.activeElement) ? targets(old).indexOf(document.activeElement) : -1;
        old.replaceWith(fresh);
        targets(fresh)[focus]?.focus();
        return fresh;
      };

      const update = ({part, order, items}) => {
        const list = find(part);
        if (!list) return;
        const news = [], made = new Map(Object.entries(items).map(([id, html]) => [id, renew(id, html, news)]));
        const wanted = new Set(order);
        for (const child of [...list.children]) if (!wanted.has(child.id)) { child.remove(); pristine.delete(child.id); later.delete(child.id) }
        const focus = document.activeElement;
        let next = list.firstElementChild;
        for (const id of order) {
          const item = made.get(id) ?? find(id);
          if (!item) continue;
          if (item === next) next = next.nextElementSibling; else list.insertBefore(item, next);
        }
        if (focus !== document.activeElement && focus.isConnected) focus.focus();
        list.closest("[data-part]").hidden = part !== "devices" && !order.length;
        if (begun.has(part) && news.length) say(news.slice(0, 3).join(". "));
        begun.add(part);
        search();
      };
      addEventListener("focusout", () => setTimeout(() => {
        for (const [id, html] of [...later]) renew(id, html, []);
      }));

      const field = find("search");
      const search = () => {
        const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
        const has = element => words.every(word => element.textContent.toLowerCase().includes(word));
        let found = 0;
        for (const card of document.querySelectorAll("#devices > li, #old > li")) {
          const devices = [...card.querySelectorAll(".device")];
          const isMeant = card.querySelector("h3") && has(card.querySelector("h3"));
          for (const device of devices) device.hidden = !isMeant && !has(device);
          card.hidden = words.length > 0 && !isMeant && devices.every(device => device.hidden);
          found += !card.hidden;
        }
        const only = find("recent-search")?.value.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
        for (const item of document.querySelectorAll("#recent > li")) {
          const text = item.textContent.toLowerCase();
          item.hidden = !only.every(word => text.includes(word));
        }
        find("unfound").textContent = words.length && !found ? "No device is called that." : "";
      };
      for (const each of [field, find("recent-search")]) {
        if (!each) continue;
        each.closest("label").hidden = false;
        each.addEventListener("input", search);
      }

      document.addEventListener("click", async event => {
        const button = event.target.closest(".copy");
        if (!button) return;
        try {
          await navigator.clipboard.writeText(find(button.dataset.copy).textContent);
          say(button.textContent = "Copied");
        } catch {
          getSelection().selectAllChildren(find(button.dataset.copy));
          say("The line is selected: copy it");
        }
      });

      if (navigator.registerProtocolHandler && find("register")) {
        find("register").hidden = false;
        find("register-button").addEventListener("click", () =>
          navigator.registerProtocolHandler("web+httpx", location.origin + "/open?uri=%s"));
      }

      // A page that nobody sees listens to nothing: connections are few.
      let source, again, alarm;
      const stop = () => {
        clearTimeout(again);
        clearTimeout(alarm);
        source?.close();
        source = alarm = undefined;
      };
      // One that is heard again in a moment was not away.
      const isLive = yes => {
        document.documentElement.toggleAttribute("data-live", yes);
        if (yes) {
          clearTimeout(alarm);
          alarm = undefined;
          find("silence").textContent = "";
        } else {
          alarm ??= setTimeout(() => {
            find("silence").textContent = "Hearth does not answer at the moment: what stands here may be old.";
          }, 4000);
        }
      };
      const listen = () => {
        stop();
        source = new EventSource("/live");
        source.addEventListener("part", event => update(JSON.parse(event.data)));
        source.onopen = () => isLive(true);
        source.onerror = () => {
          isLive(false);
          clearTimeout(again);
          if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 10000);
        };
      };
      document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen());
      addEventListener("pagehide", stop);
      addEventListener("pageshow", event => { if (event.persisted) listen() });

      for (const item of document.querySelectorAll("[data-part] > ul > li")) pristine.set(item.id, item.outerHTML);
      prepare(document);
      setInterval(() => count(document), 1000);
      if (!document.hidden) listen();
    })();
    """#
}

/// What makes the page of a failure look again, and open the device when that answers.
enum RetryScript {
  static let text = #"""
    (() => {
      \#(LocalTimesScript.text)
      let wait = 2000;
      const line = document.getElementById("retry");
      line.textContent = "This page looks again by itself, and opens the device when it answers.";
      const look = async () => {
        try {
          if (!document.hidden) {
            const answer = await fetch(location.href, {method: "HEAD", cache: "no-store", redirect: "manual"});
            if (!(answer.headers.get("Proxy-Status") ?? "").includes("error=")) return location.replace(location.href);
          }
        } catch {}
        wait = Math.min(wait * 1.5, 15000);
        setTimeout(look, wait);
      };
      setTimeout(look, wait);
      showLocalTimes(document);
    })();
    """#
}

/// What makes a page new when there is something new on it, and leaves it to its reader until then.
enum RenewalScript {
  static let text = #"""
    (() => {
      const main = root => root.querySelector("main").innerHTML;
      const known = main(document);
      const look = async () => {
        try {
          if (!document.hidden) {
            const text = await (await fetch(location.href, {cache: "no-store"})).text();
            if (main(new DOMParser().parseFromString(text, "text/html")) !== known) return location.replace(location.href);
          }
        } catch {}
        setTimeout(look, 3000);
      };
      setTimeout(look, 3000);
    })();
    """#
}

/// A function that both begin with: times in the zone and the words of whoever reads.
private enum LocalTimesScript {
  static let text = #"""
    const showLocalTimes = root => {
      const format = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "short"});
      for (const time of root.querySelectorAll("time[datetime]")) {
        time.title = time.textContent;
        time.textContent = format.format(new Date(time.dateTime));
      }
    };
    """#
}
