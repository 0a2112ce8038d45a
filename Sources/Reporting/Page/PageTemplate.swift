// SPDX-License-Identifier: Apache-2.0

/// The Mustache template of the report.
///
/// Its content type is text because every value in the view is markup already; see `Markup`.
enum PageTemplate {
  static let source = """
    {{% CONTENT_TYPE:TEXT}}
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
    <title>{{title}} – Swiftlet report</title>
    <style>
    {{style}}
    </style>
    </head>
    <body>
    <main>
    <header>
    <p class="brand">Swiftlet report</p>
    <h1>{{title}}</h1>
    {{#subtitle}}<p class="subtitle">{{.}}</p>
    {{/subtitle}}
    {{#verdict}}<p class="verdict">{{.}}</p>
    {{/verdict}}
    {{#remarks}}<p class="remark">{{.}}</p>
    {{/remarks}}
    </header>

    {{#hasMeasures}}
    <section id="comparison">
    <h2>Before and after</h2>
    <dl class="bars">
    {{#measures}}
    <div class="row"><dt>{{label}}</dt><dd class="pair">
    {{#bars}}<div class="one"><span class="hidden">{{side}}</span>{{picture}}<span class="figure {{side}}">{{text}}</span></div>
    {{/bars}}
    </dd><dd class="so"><strong class="{{tone}}">{{conclusion}}</strong> <span class="note">{{note}}</span></dd></div>
    {{/measures}}
    </dl>
    <p class="key"><span class="swatch before"></span>before <span class="swatch after"></span>after. Each row has a scale of its own.</p>
    </section>
    {{/hasMeasures}}

    {{#listings}}
    <section>
    <h2>{{title}}</h2>
    <div class="listing"><table>
    <thead><tr>{{#headings}}<th>{{.}}</th>{{/headings}}</tr></thead>
    <tbody>
    {{#rows}}<tr><td class="name">{{name}}</td>{{#cells}}<td class="figure">{{.}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody>
    </table></div>
    </section>
    {{/listings}}

    {{#hasTradeOffs}}
    <section id="trade-offs">
    <h2>Trade-offs</h2>
    {{#tradeOffs}}
    <figure><figcaption>{{title}}</figcaption>{{figure}}</figure>
    {{/tradeOffs}}
    <p class="key">Filled points lie on the front: no other network is better in both.</p>
    </section>
    {{/hasTradeOffs}}

    {{#hasCurves}}
    <section id="training">
    <h2>Training</h2>
    {{#curves}}
    <figure><figcaption>{{title}}</figcaption>{{figure}}</figure>
    {{/curves}}
    </section>
    {{/hasCurves}}

    {{#hasLatency}}
    <section id="latency">
    <h2>Latency by layer</h2>
    {{#latencyNote}}<p class="lead">{{.}}</p>
    {{/latencyNote}}
    <div class="stacks">
    {{#stacks}}<div class="stack-label">{{label}}</div><div>{{picture}}</div><div class="figure">{{total}}</div>
    {{/stacks}}
    </div>
    <table class="groups">
    <thead><tr><th>Operator</th><th class="number">before</th><th class="number">after</th><th></th></tr></thead>
    <tbody>
    {{#groups}}<tr><td><span class="swatch {{colour}}"></span>{{name}}</td><td class="number">{{before}}</td><td class="number">{{after}}</td><td class="note">{{change}}</td></tr>
    {{/groups}}
    </tbody>
    </table>
    <h3>The slowest layers</h3>
    <dl class="bars compact">
    {{#slowest}}
    <div class="row"><dt class="name">{{label}} <span class="note">{{note}}</span></dt><dd class="pair">
    {{#bars}}<div class="one"><span class="hidden">{{side}}</span>{{picture}}<span class="figure {{side}}">{{text}}</span></div>
    {{/bars}}
    </dd><dd class="so">{{conclusion}}</dd></div>
    {{/slowest}}
    </dl>
    {{#hasOthers}}
    <details class="more"><summary>{{othersTitle}}</summary>
    <dl class="bars compact">
    {{#others}}
    <div class="row"><dt class="name">{{label}} <span class="note">{{note}}</span></dt><dd class="pair">
    {{#bars}}<div class="one"><span class="hidden">{{side}}</span>{{picture}}<span class="figure {{side}}">{{text}}</span></div>
    {{/bars}}
    </dd><dd class="so">{{conclusion}}</dd></div>
    {{/others}}
    </dl>
    </details>
    {{/hasOthers}}
    </section>
    {{/hasLatency}}

    {{#hasDamage}}
    <section id="damage">
    <h2>Damage by layer</h2>
    <p class="lead">Signal over quantization noise at each layer’s output, against the float network: the lower, the worse.</p>
    <table class="damage sortable">
    <thead><tr><th data-kind="text">Layer</th><th data-kind="text" class="roomy">Operator</th><th data-kind="text" class="roomy">Stored as</th><th data-kind="number" class="number" aria-sort="ascending">SQNR</th><th data-kind="number" class="number">Range kept</th></tr></thead>
    <tbody>
    {{#layers}}
    <tr><td class="name" data-key="{{nameKey}}">{{#anchor}}<a href="#{{.}}">{{name}}</a>{{/anchor}}{{^anchor}}{{name}}{{/anchor}}{{#path}}<span class="path">{{.}}</span>{{/path}}{{#cause}}<span class="cause">{{.}}</span>{{/cause}}</td><td class="roomy">{{kind}}</td><td class="roomy">{{storage}}</td><td class="number" data-key="{{signalToNoiseKey}}">{{dot}}<span class="figure">{{signalToNoise}}</span></td><td class="number" data-key="{{rangeKeptKey}}">{{rangeKept}}</td></tr>
    {{/layers}}
    </tbody>
    </table>
    </section>
    {{/hasDamage}}

    {{#hasDetails}}
    <section id="worst">
    <h2>The worst layers</h2>
    {{#details}}
    <article id="{{anchor}}">
    <h3 class="name">{{name}}{{#path}} <span class="path">{{.}}</span>{{/path}}</h3>
    <p>{{cause}}</p>
    {{#suggestion}}<p class="mend">{{.}}{{#command}} <code>{{.}}</code>{{/command}}</p>
    {{/suggestion}}
    <div class="figures">
    {{#pictures}}<figure><figcaption>{{title}}</figcaption>{{figure}}</figure>
    {{/pictures}}
    </div>
    {{#wide}}<figure><figcaption>{{title}}</figcaption>{{figure}}</figure>
    {{/wide}}
    <p class="back"><a href="#damage">All layers</a></p>
    </article>
    {{/details}}
    </section>
    {{/hasDetails}}

    {{#hasRecipe}}
    <section id="recipe">
    <h2>Recipe</h2>
    {{#recipe}}
    <div class="snippet"><h3>{{name}}</h3><pre tabindex="0">{{value}}</pre></div>
    {{/recipe}}
    </section>
    {{/hasRecipe}}

    {{#hasFacts}}
    <section id="facts">
    <h2>Machine and versions</h2>
    <dl class="facts">
    {{#facts}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>
    {{/facts}}
    </dl>
    </section>
    {{/hasFacts}}
    </main>
    <script>
    {{script}}
    </script>
    </body>
    </html>

    """
}
