// The stand-in's front: signs in through API_URL/graphql and shows the organization under /SLUG/analytics.
const LOGIN = "mutation loginUser($input: LoginUserInput!) { loginUser(input: $input) { token user { id email } } }";
const ME = "query currentUser { currentUser { email memberships { organization { id name slug } } } }";
const element = (id) => document.getElementById(id);

async function ask(query, variables, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(`${window.API_URL}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const body = await answer.json();
  if (!answer.ok || body.errors) throw new Error(body.errors?.[0].extensions?.details?.base?.[0] ?? body.error ?? "refused");
  return body.data;
}

async function show(token) {
  const { currentUser } = await ask(ME, {}, token);
  const { organization } = currentUser.memberships[0];
  history.replaceState(null, "", `/${organization.slug}/analytics`);
  element("title").textContent = organization.name;
  element("message").textContent = `Signed in as ${currentUser.email}.`;
  element("login").hidden = true;
}

element("version").textContent = window.STAND_IN_VERSION;
element("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = Object.fromEntries(new FormData(event.target));
  try {
    const { loginUser } = await ask(LOGIN, { input });
    sessionStorage.setItem("token", loginUser.token);
    await show(loginUser.token);
  } catch (error) {
    element("message").textContent = `An error occurred: ${error.message}`;
  }
});

const kept = sessionStorage.getItem("token");
if (kept) show(kept).catch(() => sessionStorage.removeItem("token"));
