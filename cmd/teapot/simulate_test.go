package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/server"
)

// simulated starts teapot simulate and returns the lines it printed on stdout, with the verbs cut off.
func simulated(t *testing.T, want int, flags ...string) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	code := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		code <- execute(ctx, append([]string{"simulate", "--addr", "127.0.0.1:0"}, flags...), write, &stderr)
		_ = write.Close()
	}()
	scanner := bufio.NewScanner(read)
	for len(lines) < want && scanner.Scan() {
		_, rest, _ := strings.Cut(scanner.Text(), " ")
		lines = append(lines, rest)
	}
	t.Cleanup(func() {
		cancel()
		if c := <-code; c != 0 {
			t.Errorf("exit %d: %s", c, &stderr)
		}
		if !strings.Contains(stderr.String(), "NOT A TEE") {
			t.Errorf("the banner is not loud: %s", &stderr)
		}
	})
	if len(lines) != want {
		cancel()
		t.Fatalf("printed %q; %s", lines, &stderr)
	}
	return lines
}

func ask(t *testing.T, base, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSimulatedQuotesVerify: quotes of both kinds, without being told where collateral is; never without --allow-simulated.
func TestSimulatedQuotesVerify(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	device := filepath.Join(dir, "attestation")
	lines := simulated(t, 2, "--sgx", device, "--sgx-pipes", "--data", filepath.Join(dir, "data"))
	text, _ := ask(t, lines[0], "/GetQuote", `{"report_data":"aabb"}`)["quote"].(string)
	tdx, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	sgx, err := os.ReadFile(filepath.Join(device, "quote"))
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"tdx": tdx, "sgx": sgx} {
		file := filepath.Join(dir, name+".quote")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if code := execute(t.Context(), []string{"quote", "verify", file, "--allow-simulated"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "SIMULATED") {
			t.Errorf("%s: exit %d: %s%s", name, code, &stdout, &stderr)
		}
		if code := execute(t.Context(), []string{"quote", "verify", file}, io.Discard, io.Discard); code != 1 {
			t.Errorf("%s without --allow-simulated: exit %d", name, code)
		}
		var pccs bytes.Buffer
		if code := execute(t.Context(), []string{"quote", "collateral", file, "--pccs", lines[0], "--cache", "", "--root", rootFile(t, lines[0])}, &pccs, io.Discard); code != 0 || pccs.Len() < 5000 {
			t.Errorf("%s: collateral through PCS' API: exit %d, %d bytes", name, code, pccs.Len())
		}
	}
}

func rootFile(t *testing.T, base string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/teapot/root.pem", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSimulatedKeys: a seed reproduces them, without one they are new, and Info says what this is.
func TestSimulatedKeys(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const seed = "000102030405060708090a0b0c0d0e0f"
	key := func(flags ...string) any {
		base := simulated(t, 1, flags...)[0]
		return ask(t, base, "/GetKey", `{"path":"a"}`)["key"]
	}
	if first, second := key("--seed", seed), key("--seed", "0x"+seed); first != second {
		t.Error("one seed gave two keys")
	}
	if first, second := key("--seed", "00"), key("--seed", "01"); first == second {
		t.Error("two short seeds gave one key")
	}
	if first, second := key(), key(); first == second {
		t.Error("two starts without seed have one key")
	}
	dir := t.TempDir()
	if first, second := key("--data", dir), key("--data", dir); first != second {
		t.Error("one data directory gave two keys")
	}
	compose := filepath.Join(t.TempDir(), "app-compose.json")
	if err := os.WriteFile(compose, bytes.Replace(sim.DefaultAppCompose(), []byte("teapot-simulated"), []byte("mine"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	info := ask(t, simulated(t, 1, "--app-compose", compose)[0], "/Info", `{}`)
	if info["app_name"] != "mine" || info["simulated"] != true || !strings.Contains(info["cloud_vendor"].(string), "SIMULATED") {
		t.Errorf("info %v", info)
	}
}

func TestSimulateMistakes(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	cut := filepath.Join(dir, "cut.json")
	if err := os.WriteFile(cut, []byte(`{"a"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]struct {
		flags []string
		code  int
		want  string
	}{
		"no seed":          {[]string{"--seed", "0x"}, 64, "hex"},
		"seed is not hex":  {[]string{"--seed", "zz"}, 64, "hex"},
		"nothing to serve": {[]string{"--addr", ""}, 64, "nothing to serve"},
		"argument":         {[]string{"more"}, 64, ""},
		"socket is a dir":  {[]string{"--addr", "", "--socket", dir}, 2, "is a directory"},
		"no directory":     {[]string{"--addr", "", "--socket", filepath.Join(dir, "no", "s.sock")}, 2, "make it first"},
		"cut compose":      {[]string{"--addr", "", "--app-compose", cut}, 2, "breaks off after 4 bytes"},
		"sgx in a file":    {[]string{"--addr", "127.0.0.1:0", "--sgx", cut}, 2, "not a directory"},
		"no compose":       {[]string{"--app-compose", filepath.Join(dir, "none")}, 2, "app-compose"},
		"no appkeys":       {[]string{"--appkeys", filepath.Join(dir, "none")}, 2, "appkeys"},
		"not an address":   {[]string{"--addr", "256.0.0.1:0"}, 2, ""},
	} {
		var stderr bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a mistake that starts to serve fails here
		defer cancel()
		if code := execute(ctx, append([]string{"simulate"}, v.flags...), io.Discard, &stderr); code != v.code || !strings.Contains(stderr.String(), v.want) || strings.Contains(stderr.String(), "NOT A TEE") {
			t.Errorf("%s: exit %d, want %d: %s", name, code, v.code, &stderr)
		}
	}
}

// Only the socket itself is the platform's: a TCP address that looks like its path answers strangers.
func TestAnAddressIsNotThePlatformsSocket(t *testing.T) {
	ln, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if (simulateFlags{platformSocket: ln.Addr().String()}).platform(ln) {
		t.Error("a TCP address speaks to a Teapot as its platform")
	}
}
