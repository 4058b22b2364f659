// Puts the lists into the page, and makes the numbers in the table of findings lead to them.

const { filters: accountFilters, apply: showAccounts } = accountList();

function goToAccounts() {
  showAccounts();
  // What is shown has changed: whoever cannot see it is told where it is.
  document.getElementById("accounts").focus({ preventScroll: true });
  document.getElementById("accounts").scrollIntoView();
}

roleList((role) => {
  accountFilters.clear();
  accountFilters.roleSelect.value = String(role);
  goToAccounts();
});

for (const { finding, answer, title } of accountFilters.boxes) {
  const cell = document.querySelector(`[data-${answer === "is" ? "finding" : "not-known"}="${finding}"]`);
  const count = cell.textContent;
  const choose = () => {
    accountFilters.chooseOnly(finding, answer);
    goToAccounts();
  };
  if (count !== "0") cell.replaceChildren(element("button", { type: "button", class: "plain", click: choose }, count, element("span", { class: "unseen" }, `: show ${title}`)));
}

for (const section of document.querySelectorAll("section[hidden]")) section.hidden = false;
