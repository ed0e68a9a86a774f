// The stand-in's front: a single page whose places are /login and /ORGANIZATION-SLUG/SECTION. It signs in through
// API_URL/graphql, shows the organization, and keeps API_URL/cable open. The real front opens that for its assistant only.
const LOGIN = "mutation loginUser($input: LoginUserInput!) { loginUser(input: $input) { token user { id email } } }";
const ME = "query currentUser { currentUser { email memberships { organization { id name slug } } } }";
const SECTIONS = ["analytics", "customers", "plans"];
const element = (id) => document.getElementById(id);
const say = (text) => { element("message").textContent = text; };

async function ask(query, variables, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(`${window.API_URL}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const body = await answer.json();
  if (!answer.ok || body.errors) throw new Error(body.errors?.[0].extensions?.details?.base?.[0] ?? body.error ?? "refused");
  return body.data;
}

function listen(token, email) {
  const url = `${window.API_URL.replace(/^http/, "ws")}/cable?token=${encodeURIComponent(token)}`;
  const cable = new WebSocket(url, ["actioncable-v1-json", "actioncable-unsupported"]);
  cable.addEventListener("message", (event) => {
    if (JSON.parse(event.data).type === "welcome") say(`Signed in as ${email}, live.`);
  });
}

function showForm() {
  history.replaceState(null, "", "/login");
  element("title").textContent = "Sign in";
  element("login").hidden = false;
}

function go(slug, section) {
  history.pushState(null, "", `/${slug}/${section}`);
  showSection();
}

function showSection() {
  element("section").textContent = location.pathname.split("/")[2];
}

// At the place that the address names, where it is the organization's own; otherwise at its first.
function showOrganization({ email, memberships }, token) {
  const { organization } = memberships[0];
  const [, slug, section] = location.pathname.split("/");
  element("title").textContent = organization.name;
  element("login").hidden = true;
  element("page").hidden = false;
  document.querySelector("nav").replaceChildren(...SECTIONS.map((name) => {
    const link = Object.assign(document.createElement("a"), { href: `/${organization.slug}/${name}`, textContent: name });
    link.addEventListener("click", (event) => { event.preventDefault(); go(organization.slug, name); });
    return link;
  }));
  say(`Signed in as ${email}.`);
  if (slug === organization.slug && SECTIONS.includes(section)) showSection();
  else go(organization.slug, SECTIONS[0]);
  listen(token, email);
}

async function signIn(form) {
  try {
    const { loginUser } = await ask(LOGIN, { input: Object.fromEntries(new FormData(form)) });
    const { currentUser } = await ask(ME, {}, loginUser.token);
    sessionStorage.setItem("token", loginUser.token);
    showOrganization(currentUser, loginUser.token);
  } catch (error) {
    say(`An error occurred: ${error.message}`);
  }
}

async function start() {
  const token = sessionStorage.getItem("token");
  try {
    if (!token) return showForm();
    showOrganization((await ask(ME, {}, token)).currentUser, token);
  } catch {
    sessionStorage.removeItem("token");
    showForm();
  }
}

element("version").textContent = window.STAND_IN_VERSION;
element("login").addEventListener("submit", (event) => { event.preventDefault(); signIn(event.target); });
window.addEventListener("popstate", showSection);
start();
