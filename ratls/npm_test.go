package ratls

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/internal/need"
)

// npmScript speaks EHBP with the published client and prints what it saw, one JSON line.
const npmScript = `
const { createTransport } = require(process.argv[2]);
const base = process.argv[1];
(async () => {
  const t = await createTransport(process.argv[1]);
  const small = await t.post(base + '/echo', 'hello from npm');
  const big = 'tea'.repeat(100000);
  const large = await t.post(base + '/echo', big);
  const open = await t.get(base + '/.well-known/hpke-keys');
  console.log(JSON.stringify({
    small: await small.text(), large: (await large.text()) === big, open: open.status,
    key: await t.getServerPublicKeyHex(), channel: small.headers.get('x-channel'),
  }));
})().catch((e) => { console.error(e); process.exit(1); });
`

// scripts/deps.sh installs the client; without it the test says so.
func TestPublishedEHBPClient(t *testing.T) {
	node := need.Tool(t, "node")
	module, err := filepath.Abs("../.tools/npm/node_modules/ehbp/dist/cjs/index.js")
	if err != nil {
		t.Fatal(err)
	}
	need.File(t, module)
	srv, keys, _ := sealedServer(t)
	out, err := exec.CommandContext(t.Context(), node, "-e", npmScript, srv.URL, module).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `{"small":"hello from npm","large":true,"open":200,"key":"` + hex.EncodeToString(keys.Public()[0].Public) + `","channel":"hpke"}`
	if got := strings.TrimSpace(string(out)); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// The npm client knows a wrong key by status and problem type; it must read ours.
func TestPublishedEHBPClientUnderstandsAWrongKey(t *testing.T) {
	node := need.Tool(t, "node")
	module, _ := filepath.Abs("../.tools/npm/node_modules/ehbp/dist/cjs/index.js")
	need.File(t, module)
	mine, _ := NewSealKeys()
	stale, _ := NewSealKeys()
	mux := http.NewServeMux()
	mux.Handle(KeysPath, NewSealer(stale).KeysHandler())
	mux.Handle("/echo", NewSealer(mine).Middleware(http.HandlerFunc(sealedEcho)))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	out, _ := exec.CommandContext(t.Context(), node, "-e", npmScript, srv.URL, module).CombinedOutput()
	if !strings.Contains(string(out), "KeyConfigMismatchError") {
		t.Fatalf("the client did not recognise the wrong key: %s", out)
	}
}
