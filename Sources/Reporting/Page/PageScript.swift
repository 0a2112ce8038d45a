// SPDX-License-Identifier: Apache-2.0

/// The page's script: sorts the table, copies snippets, opens folded parts for print.
///
/// The page is complete without it. It reads nothing but attributes and text of the page.
enum PageScript {
  static let source = """
    for (const table of document.querySelectorAll('table.sortable')) {
      const heads = [...table.tHead.rows[0].cells];
      heads.forEach((head, column) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener('click', () => {
          const down = head.getAttribute('aria-sort') === 'ascending';
          heads.forEach(other => other.removeAttribute('aria-sort'));
          head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
          const isNumber = head.dataset.kind === 'number';
          const key = row => {
            const cell = row.cells[column];
            return 'key' in cell.dataset ? cell.dataset.key : cell.textContent;
          };
          const body = table.tBodies[0];
          const rows = [...body.rows].sort((a, b) => {
            const x = key(a), y = key(b);
            if (isNumber && (x === '' || y === '')) return (x === '') - (y === '');
            const order = isNumber ? x - y : x.localeCompare(y, 'en', { numeric: true });
            return down ? -order : order;
          });
          body.append(...rows);
        });
      });
    }
    for (const snippet of document.querySelectorAll('.snippet')) {
      const text = snippet.querySelector('pre');
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.addEventListener('click', async () => {
        try {
          await navigator.clipboard.writeText(text.textContent);
        } catch {
          getSelection().selectAllChildren(text);
          document.execCommand('copy');
        }
        button.textContent = 'Copied';
        setTimeout(() => { button.textContent = 'Copy'; }, 2000);
      });
      snippet.querySelector('h3').after(button);
    }
    addEventListener('beforeprint', () => {
      document.querySelectorAll('details').forEach(part => { part.open = true; });
    });
    """
}
