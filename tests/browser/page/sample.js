// A program that does what the second JavaScript sample of the documentation does: the same requests,
// the same keys in the same storages, in the same order. The original is not ours to copy;
// BULKWRIGHT_SAMPLE_JS=FILE serves it instead of this file.

const JOB = "https://zylkercorp.zohoplatform.com/crm/bulk/v2/write/34770619080471";
const SIGN_IN = "https://zylkercorp.zohoplatform.com/oauth/v2/auth";
const CLIENT = "1000.NPY9M1V0XXXXXXXXXXXXXXXXXXXF7H";
const REDIRECT = "http://127.0.0.1:5500/redirect.html";
const SCOPES = [
  "ZohoCRM.users.ALL", "ZohoCRM.bulk.read", "ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL",
  "Aaaserver.profile.Read", "ZohoCRM.org.ALL", "profile.userphoto.READ", "ZohoFiles.files.ALL",
  "ZohoCRM.bulk.ALL", "ZohoCRM.settings.variable_groups.ALL",
].join(",");
const HANDED_OVER = [
  "granted_for_session", "access_token", "expires_in", "expires_in_sec", "location", "api_domain",
  "state", "__token_init", "__auth_process",
];
const TOKEN_LIFE = 59 * 60 * 1000;

let listening = false;

// The redirect page leaves the answer in localStorage; this tab keeps it for itself.
function takeOver() {
  for (const key of HANDED_OVER) {
    if (Object.hasOwn(localStorage, key)) sessionStorage.setItem(key, localStorage[key]);
    localStorage.removeItem(key);
  }
}

function listen() {
  if (listening) return;
  listening = true;
  window.addEventListener("storage", (change) => {
    if (change.key !== "access_token") return;
    if (change.oldValue === null || change.oldValue !== change.newValue) location.reload();
    sessionStorage.removeItem("__auth_process");
  });
  sessionStorage.removeItem("__auth_process");
}

function token() {
  listen();
  takeOver();
  const began = sessionStorage.getItem("__token_init");
  if (began !== null && Date.now() >= Number(began) + TOKEN_LIFE) {
    sessionStorage.removeItem("access_token");
  }
  if (sessionStorage.getItem("access_token") === null
      && sessionStorage.getItem("__auth_process") === null) {
    const again = began !== null && sessionStorage.getItem("granted_for_session") === "true";
    sessionStorage.setItem("__token_init", Date.now());
    sessionStorage.setItem("__auth_process", "true");
    // Nothing is escaped, as there.
    window.open(`${SIGN_IN}${again ? "/refresh" : ""}?scope=${SCOPES}&client_id=${CLIENT}`
      + `&response_type=token&state=zohocrmclient&redirect_uri=${REDIRECT}`);
    takeOver();
  }
  return sessionStorage.getItem("access_token");
}

function call(method, url, headers, body) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.withCredentials = true;
    request.open(method, url, true);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onreadystatechange = () => { if (request.readyState === 4) resolve(request); };
    request.send(body);
  });
}

class GetBulkWriteJobDetails {
  async GetBulkWriteJob() {
    // The first call goes out at once, with no token yet: `Zoho-oauthtoken null`.
    const headers = { Authorization: `Zoho-oauthtoken ${token()}` };
    const answer = await call("GET", JOB, headers, JSON.stringify(null));
    console.log(answer.status);
    console.log(answer.response);
  }
}
