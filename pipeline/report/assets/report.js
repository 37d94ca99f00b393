"use strict";
(() => {
  const byId = (id) => document.getElementById(id);

  // What is folded away on the screen belongs on paper.
  const opened = [];
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details:not([open]):not(.screen-only)")) {
      each.open = true;
      opened.push(each);
    }
  });
  window.addEventListener("afterprint", () => {
    while (opened.length) opened.pop().open = false;
  });

  // The entry of the contents whose section is at the top of the window.
  const entries = [...document.querySelectorAll(".contents a")];
  const parts = entries.map((entry) => byId(decodeURIComponent(entry.hash.slice(1))));
  const follow = () => {
    const at = parts.findLastIndex((part) => part.getBoundingClientRect().top < 120);
    entries.forEach((entry, place) => {
      if (place === at) entry.setAttribute("aria-current", "true");
      else entry.removeAttribute("aria-current");
    });
  };
  if (entries.length) {
    window.addEventListener("scroll", follow, { passive: true });
    follow();
  }

  // A link into what is folded unfolds it.
  const unfold = () => {
    const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  const source = byId("explorer-data");
  if (!source) return;

  const data = JSON.parse(source.textContent);
  const { threshold, answered, wrong } = data.points;
  const last = answered.length - 1;
  const thousands = new Intl.NumberFormat("en");
  const write = (id, text) => { byId(id).textContent = text; };

  // The same rounding as the page's own numbers.
  const percent = (share, digits = 1) => {
    const least = 10 ** -digits;
    if (share === 0 || share === 1) return `${100 * share}%`;
    if (100 * share < least / 2) return `<${least.toFixed(digits)}%`;
    if (100 * share > 100 - least / 2) return `>${(100 - least).toFixed(digits)}%`;
    return `${(100 * share).toFixed(digits)}%`;
  };
  const everyone = {
    total: data.total, answered, wrong, lower: data.lower, upper: data.upper, label: data.unit,
  };
  // All, or the group chosen; a group has null where too few are answered to be shown.
  const chosen = () => {
    const value = byId("group") ? byId("group").value : "";
    const group = value === "" ? undefined : data.groups[Number(value)];
    return group && group.answered ? group : everyone;
  };

  const nearest = (values, wanted) =>
    values.reduce((best, value, at) =>
      Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? at : best, 0);
  // What can be typed instead of moving the slider: per cent, and decimals as they are written.
  const typed = {
    confidence: { values: threshold.map((value) => 100 * value), digits: 2 },
    coverage: { values: answered.map((count) => 100 * count / data.total), digits: 1 },
  };
  const number = (id) => {
    const field = byId(id);
    const value = field.valueAsNumber;
    if (!Number.isFinite(value)) return Number(field.defaultValue);
    return Math.min(Number(field.max), Math.max(Number(field.min), value));
  };
  const target = () => data.targets.find((each) => String(each.target) === byId("target").value);
  // The last row that is no laxer than the approved threshold, which may answer fewer than all rows.
  const approvedRow = () => {
    const { threshold: approved } = target();
    if (approved === null || threshold[0] < approved) return null;
    return threshold.reduce((found, value, at) => (value >= approved ? at : found), 0);
  };

  function column(name, share, errors) {
    const { total } = chosen();
    const referred = 1 - share;
    write(`answered-${name}`, `${thousands.format(Math.round(share * total))} (${percent(share)})`);
    write(`referred-${name}`, `${thousands.format(Math.round(referred * total))} (${percent(referred)})`);
    write(`wrong-${name}`, Number.isInteger(errors) ? thousands.format(errors) : errors.toFixed(1));
    write(`thousand-${name}`, (1000 * errors / total).toFixed(1));
    const cost = 1000 * (referred + number("weight") * errors / total);
    write(`cost-${name}`, thousands.format(Math.round(cost)));
    write(`hours-${name}`, (number("week") * referred * number("minutes") / 60).toFixed(1));
  }

  function outcomeWords(source, at) {
    const count = source.answered[at];
    if (count === null) {
      return `not shown: fewer than ${data.maskBelow} answered, or shown they would give such a group away.`;
    }
    const answers = `answers ${thousands.format(count)} of ${thousands.format(source.total)} ` +
      `${source.label} (${percent(count / source.total)}), `;
    const errors = `${thousands.format(source.wrong[at])} of ${thousands.format(count)}`;
    if (count < data.rateFrom) return `${answers}wrong in ${errors}; too few for a rate.`;
    const limits = `${percent(source.lower[at]).replace("%", "")}–${percent(source.upper[at])}`;
    return `${answers}wrong in ${errors} (${percent(source.wrong[at] / count)}; 95% CI ${limits}).`;
  }

  function showCounts(at) {
    const source = chosen();
    const everybody = source.wrong[last];
    const share = source.answered[at] === null ? null : source.answered[at] / source.total;
    const words = outcomeWords(source, at);
    write("said", `At confidence ${percent(threshold[at], 2)} or more: ${words}`);
    column("all", 1, everybody);
    if (share === null) {
      for (const row of ["answered", "referred", "wrong", "thousand", "cost", "hours"]) {
        for (const name of ["model", "random"]) write(`${row}-${name}`, "–*");
      }
    } else {
      column("model", share, source.wrong[at]);
      column("random", share, share * everybody);
    }
    write("approved", target().approved);
    write("at-target", target().sentence);
    byId("approve").disabled = approvedRow() === null;
    byId("at").setAttribute("aria-valuetext", words);
  }

  // A missing row is a masked class.
  const sum = (row) => row.reduce((a, b) => a + b, 0);

  function showClasses(at) {
    const everything = data.confusion[last];
    const now = data.confusion[at];
    const shown = everything.map((row) => row !== null);
    const shares = classShares();
    let share = 0;
    let errors = 0;
    let errorsOfAll = 0;
    everything.forEach((all, label) => {
      const cells = ["cases", "answered", "wrong", "random", "thousand"];
      if (!shown[label]) {
        for (const cell of cells) write(`class-${cell}-${label}`, "–*");
        for (let read = 0; read < everything.length; read += 1) write(`confusion-${label}-${read}`, "–*");
        write(`confusion-${label}-referred`, "–*");
        return;
      }
      const cases = sum(all);
      const kept = sum(now[label]);
      const misses = kept - now[label][label];
      const missedByAll = cases - all[label];
      share += shares[label] * kept / cases;
      errors += shares[label] * misses / cases;
      errorsOfAll += shares[label] * missedByAll / cases;
      write(`class-cases-${label}`, thousands.format(cases));
      write(`class-answered-${label}`, thousands.format(kept));
      write(`class-wrong-${label}`, thousands.format(misses));
      write(`class-random-${label}`, (missedByAll * answered[at] / data.total).toFixed(1));
      write(`class-thousand-${label}`, (1000 * shares[label] * misses / cases).toFixed(1));
      now[label].forEach((count, read) => write(`confusion-${label}-${read}`, thousands.format(count)));
      write(`confusion-${label}-referred`, thousands.format(cases - kept));
    });
    write("prevalence", shown.every(Boolean)
      ? `With these shares of images arriving: ${percent(share)} answered, ` +
        `${percent(share ? errors / share : 0)} of them wrong, ` +
        `${(1000 * errors).toFixed(1)} wrong per 1,000 arriving (referring as many at random: ` +
        `${(1000 * share * errorsOfAll).toFixed(1)}), if the images of each class stay as they are.`
      : "Other shares cannot be tried: a class is masked (–*).");
  }

  function testedShares() {
    const cases = data.confusion[last].map((row) => (row === null ? 0 : sum(row)));
    return cases.map((count) => count / sum(cases));
  }
  // Shares that do not add up to 100 are taken in proportion.
  function classShares() {
    const fields = [...document.querySelectorAll("input.share")];
    const given = fields.map((field) => Math.max(0, field.valueAsNumber || 0));
    return sum(given) > 0 ? given.map((value) => value / sum(given)) : testedShares();
  }

  const marker = byId("explorer-marker");
  function showMarker(at) {
    if (!marker) return;
    const { left, right, top, bottom, highest } = data.frame;
    const x = left + (right - left) * answered[at] / data.total;
    const y = bottom - (bottom - top) * Math.min(1, 100 * wrong[at] / answered[at] / highest);
    marker.style.left = `${100 * x}%`;
    marker.style.top = `${100 * y}%`;
    marker.hidden = false;
  }

  const KEPT = ["weight", "week", "minutes", "target", "group"].filter(byId);
  function keepState(at) {
    const state = new URLSearchParams({ at });
    for (const id of KEPT) {
      const field = byId(id);
      const first = field.options
        ? [...field.options].find((each) => each.defaultSelected).value : field.defaultValue;
      if (field.value !== first) state.set(id, field.value);
    }
    const shares = [...document.querySelectorAll("input.share")];
    if (shares.some((field) => field.value !== field.defaultValue)) {
      state.set("shares", shares.map((field) => field.value).join(" "));
    }
    history.replaceState(null, "", `#${state}`);
  }

  function update({ keep = true } = {}) {
    const at = Number(byId("at").value);
    for (const [id, { values, digits }] of Object.entries(typed)) {
      if (document.activeElement !== byId(id)) byId(id).value = values[at].toFixed(digits);
    }
    showCounts(at);
    if (data.confusion) showClasses(at);
    showMarker(at);
    if (keep) keepState(at);
  }

  function readState() {
    const state = new URLSearchParams(location.hash.slice(1));
    const options = [...byId("target").options].map((each) => each.value);
    if (options.includes(state.get("target"))) byId("target").value = state.get("target");
    const group = byId("group") && [...byId("group").options].find((each) =>
      each.value === state.get("group") && !each.disabled);
    if (group) byId("group").value = group.value;
    for (const id of ["weight", "week", "minutes"]) {
      if (Number.isFinite(parseFloat(state.get(id)))) byId(id).value = parseFloat(state.get(id));
    }
    const shares = (state.get("shares") || "").split(" ").map(parseFloat);
    document.querySelectorAll("input.share").forEach((field, label) => {
      if (Number.isFinite(shares[label])) field.value = shares[label];
    });
    const at = parseInt(state.get("at"), 10);
    const start = approvedRow() ?? 0;
    byId("at").value = Number.isFinite(at) ? at : start;
  }

  if (data.confusion) {
    testedShares().forEach((share, label) => {
      const field = byId(`share-${label}`);
      field.defaultValue = (100 * share).toFixed(1);
      field.disabled = data.confusion[last].includes(null);
    });
  }
  for (const each of document.querySelectorAll(".needs-script")) each.hidden = false;
  document.querySelector(".explorer").addEventListener("input", (event) => {
    const { id, valueAsNumber } = event.target;
    if (id in typed && Number.isFinite(valueAsNumber)) {
      byId("at").value = nearest(typed[id].values, valueAsNumber);
    }
    update();
  });
  // A number stays as it is being typed; left, it becomes the attained one that is shown.
  for (const id of Object.keys(typed)) byId(id).addEventListener("blur", () => update());
  byId("approve").addEventListener("click", () => { byId("at").value = approvedRow(); update(); });
  window.addEventListener("hashchange", () => { readState(); update({ keep: false }); });
  readState();
  update({ keep: false });
})();
