// SPDX-License-Identifier: Apache-2.0

/// The page's style sheet.
///
/// Groups and curves take the colours of Okabe and Ito, which the colour-blind can tell apart, and
/// curves differ in their dashes too.
enum PageStyle {
  static let source = """
    :root {
      --paper: #ffffff; --raised: #f6f7f8; --ink: #1b1f24; --soft: #5c6670; --line: #dfe3e7;
      --before: #b4bcc5; --after: #0b62c4; --link: #0b57ad; --good: #1a7340; --bad: #b3261e;
      --cut: #d9730d; --kept: #0b62c414; --grid: #e8ebee; --level: #1b1f2466;
      --c0: #0072b2; --c1: #e69f00; --c2: #009e73; --c3: #cc79a7; --c4: #56b4e9; --c5: #d55e00;
      --c6: #8a949e;
      color-scheme: light dark;
    }
    @media screen and (prefers-color-scheme: dark) {
      :root {
        --paper: #14181d; --raised: #1c2229; --ink: #e6eaee; --soft: #9aa5b0; --line: #2e363f;
        --before: #5f6b78; --after: #5aa9ff; --link: #7dbaff; --good: #57c785; --bad: #ff8a7a;
        --cut: #ffa14a; --kept: #5aa9ff1c; --grid: #262d35; --level: #e6eaee66;
        --c0: #3d9fdb; --c2: #2bbd91; --c5: #f0803c;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    }
    main { max-width: 968px; margin: 0 auto; padding: 40px 24px 72px; }
    h1, h2, h3 { line-height: 1.25; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
    h1 { font-size: 30px; letter-spacing: -0.01em; }
    h2 { font-size: 20px; margin-bottom: 14px; }
    h3 { font-size: 16px; margin: 24px 0 8px; }
    p { margin: 0 0 10px; max-width: 72ch; }
    section { margin-top: 44px; padding-top: 24px; border-top: 1px solid var(--line); }
    a { color: var(--link); text-underline-offset: 2px; }
    .brand { color: var(--soft); font-size: 13px; margin-bottom: 4px; }
    .subtitle { color: var(--soft); margin-top: 6px; }
    .verdict { font-size: 21px; line-height: 1.35; margin: 18px 0 0; }
    .remark { border-left: 3px solid var(--cut); padding: 2px 0 2px 12px; margin: 16px 0 0; }
    .lead, .key { color: var(--soft); font-size: 14px; }
    .key { margin-top: 14px; }
    .note { color: var(--soft); font-weight: 400; font-size: 14px; }
    .good { color: var(--good); }
    .bad { color: var(--bad); }
    .figure, .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
    .name, code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
    .name { font-size: 14px; overflow-wrap: anywhere; }
    .name .note { font-size: 12px; white-space: nowrap; }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .swatch { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 8px; vertical-align: -1px; border: 6px solid var(--fill, var(--c6)); }
    .key .swatch { margin: 0 6px 0 12px; }
    .key .swatch:first-child { margin-left: 0; }
    .before { --fill: var(--before); }
    .after { --fill: var(--after); }
    .c0 { --fill: var(--c0); } .c1 { --fill: var(--c1); } .c2 { --fill: var(--c2); }
    .c3 { --fill: var(--c3); } .c4 { --fill: var(--c4); } .c5 { --fill: var(--c5); }
    .c6 { --fill: var(--c6); }

    .bars, .facts { margin: 0; }
    .bars .row { display: grid; grid-template-columns: 168px 1fr 236px; column-gap: 24px; align-items: center; padding: 10px 0; border-top: 1px solid var(--grid); break-inside: avoid; }
    .bars .row:first-child { border-top: 0; }
    .bars dt { font-weight: 600; }
    .bars dd { margin: 0; }
    .pair .one { display: grid; grid-template-columns: 1fr 84px; column-gap: 12px; align-items: center; line-height: 1.45; }
    .pair .figure { text-align: right; font-size: 15px; }
    .pair .figure.before { color: var(--soft); }
    .bar { display: block; }
    .bar rect { fill: var(--fill); }
    .bar .rest { fill: var(--grid); }
    .so strong { font-weight: 600; }
    .so .note { display: block; }
    .compact .row { grid-template-columns: minmax(200px, 340px) 1fr 112px; padding: 7px 0; }
    .compact dt { font-weight: 400; }
    .compact .pair .figure { font-size: 13px; }
    .compact .bar { height: 9px; }
    .compact .so { font-size: 14px; color: var(--soft); }

    .stacks { display: grid; grid-template-columns: auto 1fr auto; gap: 8px 14px; align-items: center; margin: 6px 0 18px; break-inside: avoid; }
    .stack-label { color: var(--soft); font-size: 14px; }
    .stacks .figure { font-weight: 600; }
    .stack { display: block; }
    .segment { fill: var(--fill); stroke: var(--paper); stroke-width: 1; }
    .segment:hover { opacity: 0.75; }
    .more { margin-top: 10px; }
    .more summary { cursor: pointer; color: var(--link); font-size: 15px; }

    table { border-collapse: collapse; font-size: 15px; }
    th, td { text-align: left; padding: 6px 24px 6px 0; vertical-align: top; border-bottom: 1px solid var(--grid); }
    th { font-size: 13px; font-weight: 600; color: var(--soft); border-bottom-color: var(--line); white-space: nowrap; }
    th.number, td.number { text-align: right; }
    .listing { overflow-x: auto; }
    tr { break-inside: avoid; }
    .groups td.note { white-space: nowrap; }
    .groups td { padding-top: 4px; padding-bottom: 4px; }
    .damage { width: 100%; }
    .damage th:first-child { width: 40%; }
    .damage th:last-child, .damage td:last-child { padding-right: 0; }
    .damage .figure { display: inline-block; min-width: 56px; }
    .damage tbody tr:target, article:target { background: var(--raised); }
    .path, .cause { display: block; color: var(--soft); font-size: 13px; }
    .cause { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 14px; color: var(--ink); }
    .dots { vertical-align: -2px; margin-right: 6px; }
    .rail { stroke: var(--line); stroke-width: 2; }
    .dot { fill: var(--after); }
    th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
    th button::after { content: " ↕"; opacity: 0.4; }
    th[aria-sort=ascending] button::after { content: " ↑"; opacity: 1; }
    th[aria-sort=descending] button::after { content: " ↓"; opacity: 1; }

    article { padding: 4px 0 20px; }
    article + article { border-top: 1px solid var(--grid); }
    article h3 .path { display: inline; font-weight: 400; margin-left: 6px; }
    .mend { border-left: 3px solid var(--good); padding: 2px 0 2px 12px; }
    code { font-size: 14px; background: var(--raised); padding: 1px 5px; border-radius: 3px; overflow-wrap: anywhere; }
    .mend code { display: block; width: fit-content; margin: 4px 0 2px; padding: 3px 8px; }
    .back { font-size: 14px; }
    .figures { display: grid; grid-template-columns: 1fr 1fr; gap: 0 24px; }
    figure { margin: 16px 0 8px; break-inside: avoid; min-width: 0; }
    figcaption { font-size: 14px; font-weight: 600; margin-bottom: 6px; overflow-wrap: anywhere; }
    .wide svg, .narrow svg { display: block; max-width: 100%; height: auto; }
    .narrow { display: none; }
    svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
    svg .axis-title { font-size: 12px; }
    svg .mark, svg .label, svg .range-label { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
    svg .mark { fill: var(--ink); font-weight: 600; }
    svg .range-label { fill: var(--ink); }
    .grid { stroke: var(--grid); }
    .axis { stroke: var(--soft); }
    .kept { fill: var(--kept); }
    .bin { fill: var(--after); }
    .bin.cut { fill: var(--cut); }
    .range { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; }
    .level { stroke: var(--level); }
    .curve { fill: none; stroke: var(--fill); stroke-width: 2; stroke-linejoin: round; }
    .curve.c1 { stroke-dasharray: 7 3; } .curve.c2 { stroke-dasharray: 2 3; }
    .curve.c3 { stroke-dasharray: 9 3 2 3; } .curve.c4 { stroke-dasharray: 4 2; }
    .best { fill: var(--paper); stroke: var(--fill); stroke-width: 2.5; }
    .front { fill: none; stroke: var(--after); stroke-width: 1.5; opacity: 0.6; }
    .point { fill: var(--paper); stroke: var(--soft); stroke-width: 1.5; }
    .point.best { fill: var(--after); stroke: var(--paper); stroke-width: 1; }

    .snippet { position: relative; break-inside: avoid; }
    .snippet h3 { margin-top: 12px; }
    pre { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 12px 14px; margin: 0 0 12px; font-size: 13.5px; line-height: 1.5; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
    .copy { position: absolute; right: 0; top: -2px; font: inherit; font-size: 13px; color: var(--link); background: var(--paper); border: 1px solid var(--line); border-radius: 5px; padding: 2px 12px; cursor: pointer; }
    .facts div { display: grid; grid-template-columns: 168px 1fr; column-gap: 24px; padding: 4px 0; }
    .facts dt { color: var(--soft); }
    .facts dd { margin: 0; overflow-wrap: anywhere; }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }

    @media screen and (max-width: 700px) {
      main { padding: 24px 16px 48px; }
      h1 { font-size: 24px; }
      .verdict { font-size: 18px; }
      .bars .row, .compact .row { grid-template-columns: 1fr; row-gap: 3px; }
      .pair .one { grid-template-columns: 1fr 76px; }
      .so .note { display: inline; }
      .roomy, .dots { display: none; }
      th, td { padding-right: 14px; }
      .damage th:first-child { width: 58%; }
      .groups { width: 100%; font-size: 13px; }
      .groups td.note { font-size: 13px; padding-right: 0; }
      .damage .figure { min-width: 0; }
      .figures { grid-template-columns: 1fr; }
      .wide { display: none; }
      .narrow { display: block; }
      .facts div { grid-template-columns: 1fr; padding: 6px 0; }
      .stacks { gap: 6px 10px; }
    }
    @media print {
      @page { margin: 16mm 14mm; }
      body { font-size: 10.5pt; }
      main { max-width: none; padding: 0; }
      section { margin-top: 22pt; padding-top: 12pt; }
      article, .groups, .mend, p { break-inside: avoid; }
      h2, h3 { break-after: avoid; }
      .compact .row { grid-template-columns: 250px 1fr 100px; column-gap: 16px; }
      .bars:not(.compact) .row { grid-template-columns: 140px 1fr 170px; }
      .copy, .back, .more summary, th button::after { display: none; }
      a { color: inherit; text-decoration: none; }
      pre { white-space: pre-wrap; }
    }
    """
}
