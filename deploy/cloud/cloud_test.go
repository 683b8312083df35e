package cloud

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"

	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/deploy/sealedenv"
)

// kms plays the KMS behind both APIs: it signs env keys as dstack's does.
type kms struct {
	root *secp256k1.PrivateKey
	env  *ecdh.PrivateKey
	now  time.Time
}

func newKMS(t *testing.T) *kms {
	t.Helper()
	root, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	env, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &kms{root, env, time.Unix(1_790_000_000, 0)}
}

func (k *kms) answer(appID string) map[string]any {
	id, _ := hex.DecodeString(appID)
	at := uint64(k.now.Unix())
	public := k.env.PublicKey().Bytes()
	text := binary.BigEndian.AppendUint64(append([]byte("dstack-env-encrypt-pubkey:"), id...), at)
	h := sha3.NewLegacyKeccak256()
	h.Write(append(text, public...))
	compact := ecdsa.SignCompact(k.root, h.Sum(nil), true)
	signature := append(compact[1:], compact[0]-31)
	return map[string]any{"public_key": hex.EncodeToString(public), "timestamp": at, "signature": "", "signature_v1": hex.EncodeToString(signature)}
}

// fake is a platform's API: it keeps what it was asked and answers like the real one.
type fake struct {
	kms       *kms
	got       map[string]map[string]any
	wrongHash bool
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	_ = json.NewDecoder(r.Body).Decode(&in)
	f.got[r.Method+" "+r.URL.Path] = in
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch r.Method + " " + r.URL.Path {
	case "POST /prpc/GetComposeHash":
		answer(map[string]string{"hash": f.hash(in["compose_file"].(string))})
	case "POST /prpc/GetAppEnvEncryptPubKey":
		answer(f.kms.answer(in["app_id"].(string)))
	case "POST /prpc/CreateVm":
		answer(map[string]string{"id": "vm-1"})
	case "POST /prpc/GetInfo":
		answer(map[string]any{"found": in["id"] == "vm-1", "info": map[string]string{"id": "vm-1", "status": "running", "boot_progress": "done"}})
	case "POST /prpc/StopVm", "POST /prpc/RemoveVm":
		fmt.Fprint(w, "null")
	case "GET /logs":
		fmt.Fprintln(w, "console of", r.URL.Query().Get("id"))
	case "POST /cvms/provision":
		compose, _ := json.Marshal(in["compose_file"])
		_ = compose
		answer(map[string]string{"app_id": strings.Repeat("ab", 20), "compose_hash": f.hash(""), "app_env_encrypt_pubkey": hex.EncodeToString(f.kms.env.PublicKey().Bytes())})
	case "POST /cvms":
		answer(map[string]any{"id": 7, "app_url": "https://x.example"})
	case "GET /cvms/7/state":
		answer(map[string]string{"status": "running"})
	case "DELETE /cvms/7":
		w.WriteHeader(http.StatusNoContent)
	default:
		if strings.HasPrefix(r.URL.Path, "/kms/phala/pubkey/") {
			answer(f.kms.answer(strings.TrimPrefix(r.URL.Path, "/kms/phala/pubkey/")))
			return
		}
		http.Error(w, `{"error":"Service not found"}`, http.StatusBadRequest)
	}
}

func (f *fake) hash(compose string) string {
	if f.wrongHash {
		return strings.Repeat("00", 32)
	}
	if compose == "" {
		return rendered().HashHex()
	}
	sum := sha256.Sum256([]byte(compose))
	return hex.EncodeToString(sum[:])
}

func rendered() appcompose.App {
	app, err := appcompose.Render(appcompose.Options{Name: "teapot-test", Compose: []byte("services: {}\n"), AllowedEnvs: []string{"KEY"}, KMS: true})
	if err != nil {
		panic(err)
	}
	return app
}

func start(t *testing.T) (*fake, string) {
	t.Helper()
	f := &fake{kms: newKMS(t), got: map[string]map[string]any{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server.URL
}

func request(f *fake) Request {
	return Request{
		Name: "teapot-test", App: rendered(), Env: []sealedenv.Variable{{Key: "KEY", Value: "canary-secret"}},
		KMSRoot: f.kms.root.PubKey().SerializeCompressed(), Image: "dstack-0.5.5", VCPU: 2, MemoryMB: 4096, DiskGB: 50,
		Ports: []Port{{3000, 3000}}, Now: f.kms.now,
	}
}

func TestVMMDeploysExactBytesAndSealedSecrets(t *testing.T) {
	f, url := start(t)
	instance, err := VMM{API{Base: url}}.Deploy(t.Context(), request(f))
	if err != nil {
		t.Fatal(err)
	}
	created := f.got["POST /prpc/CreateVm"]
	if created["compose_file"] != string(rendered().Bytes) || created["app_id"] != rendered().ID() || instance.ComposeHash != rendered().HashHex() {
		t.Errorf("created %v", created)
	}
	assertSealed(t, f, created["encrypted_env"])
}

func assertSealed(t *testing.T, f *fake, sealedHex any) {
	t.Helper()
	text, _ := sealedHex.(string)
	sealed, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	vars, err := sealedenv.Open(f.kms.env, sealed)
	if err != nil || len(vars) != 1 || vars[0].Value != "canary-secret" {
		t.Errorf("%v, %v", vars, err)
	}
	for call, in := range f.got {
		if b, _ := json.Marshal(in); bytes.Contains(b, []byte("canary-secret")) {
			t.Errorf("%s carried the secret in the clear", call)
		}
	}
}

func TestPhalaDeploys(t *testing.T) {
	f, url := start(t)
	instance, err := Phala{API: API{Base: url}}.Deploy(t.Context(), request(f))
	if err != nil {
		t.Fatal(err)
	}
	if instance.ID != "7" || f.got["POST /cvms/provision"]["instance_type"] != "tdx.small" {
		t.Errorf("%+v", instance)
	}
	assertSealed(t, f, f.got["POST /cvms"]["encrypted_env"])
	status, err := Phala{API: API{Base: url}}.Status(t.Context(), "7")
	if err != nil || !status.Running() {
		t.Errorf("%+v, %v", status, err)
	}
	if err := (Phala{API: API{Base: url}}).Down(t.Context(), "7"); err != nil {
		t.Error(err)
	}
}

func TestWrongHashStopsBeforeAnythingStarts(t *testing.T) {
	for name, deploy := range map[string]func(API, Request) error{
		"vmm":   func(a API, r Request) error { _, err := VMM{a}.Deploy(context.Background(), r); return err },
		"phala": func(a API, r Request) error { _, err := Phala{API: a}.Deploy(context.Background(), r); return err },
	} {
		f, url := start(t)
		f.wrongHash = true
		if err := deploy(API{Base: url}, request(f)); err == nil {
			t.Errorf("%s: deployed", name)
		}
		if f.got["POST /prpc/CreateVm"] != nil || f.got["POST /cvms"] != nil {
			t.Errorf("%s: started something", name)
		}
	}
}

func TestSecretsNeedAPinnedKMS(t *testing.T) {
	f, url := start(t)
	other := newKMS(t)
	for name, root := range map[string][]byte{"none": nil, "another": other.root.PubKey().SerializeCompressed()} {
		r := request(f)
		r.KMSRoot = root
		if _, err := (VMM{API{Base: url}}).Deploy(t.Context(), r); err == nil {
			t.Errorf("root %s: secrets were sealed", name)
		}
		if f.got["POST /prpc/CreateVm"] != nil {
			t.Errorf("root %s: a VM was created", name)
		}
	}
}

func TestDryRunPrintsAndSendsNothing(t *testing.T) {
	f, url := start(t)
	for name, deploy := range map[string]func(API) error{
		"vmm":   func(a API) error { _, err := VMM{a}.Deploy(context.Background(), request(f)); return err },
		"phala": func(a API) error { _, err := Phala{API: a}.Deploy(context.Background(), request(f)); return err },
	} {
		var out strings.Builder
		err := deploy(API{Base: url, Header: map[string]string{"X-API-Key": "canary-key"}, DryRun: &out})
		if !errors.Is(err, ErrDryRun) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(out.String(), "canary") {
			t.Errorf("%s printed a secret:\n%s", name, out.String())
		}
		if !strings.Contains(out.String(), "POST "+url) {
			t.Errorf("%s printed no request:\n%s", name, out.String())
		}
	}
	if len(f.got) > 0 {
		t.Errorf("sent %v", f.got)
	}
}

func TestVMMOverUnixSocket(t *testing.T) {
	f := &fake{kms: newKMS(t), got: map[string]map[string]any{}}
	socket := filepath.Join(t.TempDir(), "vmm.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	vmm := VMM{API{Base: "unix:" + socket}}
	status, err := vmm.Status(t.Context(), "vm-1")
	if err != nil || !status.Running() {
		t.Errorf("%+v, %v", status, err)
	}
	if _, err := vmm.Status(t.Context(), "nobody"); err == nil {
		t.Error("a VM that does not exist has a status")
	}
	var logs strings.Builder
	if err := vmm.Logs(t.Context(), "vm-1", false, 10, &logs); err != nil || logs.String() != "console of vm-1\n" {
		t.Errorf("%q, %v", logs.String(), err)
	}
	if err := vmm.Down(t.Context(), "vm-1"); err != nil || f.got["POST /prpc/RemoveVm"]["id"] != "vm-1" {
		t.Errorf("%v, %v", f.got, err)
	}
}

func TestErrorsNameTheCause(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"detail":"ERR-03-007"}`)
	}))
	defer server.Close()
	_, err := Phala{API: API{Base: server.URL}}.Status(t.Context(), "7")
	if err == nil || !strings.Contains(err.Error(), "409") || !strings.Contains(err.Error(), "ERR-03-007") {
		t.Errorf("%v", err)
	}
	_, err = Phala{API: API{Base: "http://127.0.0.1:1"}}.Status(t.Context(), "7")
	if err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("%v", err)
	}
}
