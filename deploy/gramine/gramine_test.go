package gramine

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

func options() Options {
	return Options{
		Binary: "/opt/teapot/teapot", Manifest: "/opt/teapot/manifest.toml", Data: "/var/lib/teapot", Envelope: "/var/lib/teapot-envelope",
		Files: []string{"/opt/teapot/character/trump.character.json"}, Args: []string{"run", "--character", "/opt/teapot/character/trump.character.json"},
		Env: map[string]string{"ODD": "quote \" and \\ and \n"}, Passthrough: []string{"OPENAI_API_KEY"},
	}
}

func TestRenderedManifestPassesItsOwnCheck(t *testing.T) {
	text, err := Render(options())
	if err != nil {
		t.Fatal(err)
	}
	refusals, err := Check([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(refusals) > 0 {
		t.Errorf("refused: %v", refusals)
	}
	again, err := Render(options())
	if err != nil || again != text {
		t.Error("two renderings differ")
	}
	names, err := Passthrough([]byte(text))
	if err != nil || !slices.Equal(names, []string{"OPENAI_API_KEY"}) {
		t.Errorf("passthrough %v, %v", names, err)
	}
}

var update = flag.Bool("update", false, "write teapot.manifest.template anew")

// TestTheTemplateIsARendering: the file in the tree is what the code renders for a container, strict, with a server that a pod can reach.
func TestTheTemplateIsARendering(t *testing.T) {
	text, err := Render(Options{
		Binary: "/app/teapot", Manifest: "/app/manifest.toml", Data: "/var/lib/teapot", Envelope: "/var/lib/teapot-envelope", Args: []string{"run", "--addr", "0.0.0.0:3000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const path = "teapot.manifest.template"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil || string(kept) != text {
		t.Fatalf("%s differs from the code: go test ./deploy/gramine -update, %v", path, err)
	}
	if refusals, err := Check(kept); err != nil || len(refusals) > 0 {
		t.Errorf("%v, %v", refusals, err)
	}
}

// TestEveryInsecureOptionIsRefused edits the good manifest once per row.
func TestEveryInsecureOptionIsRefused(t *testing.T) {
	good, err := Render(options())
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string][2]string{
		"sgx.debug":                                    {"sgx.debug = false", "sgx.debug = true"},
		"sgx.remote_attestation":                       {`sgx.remote_attestation = "dcap"`, `sgx.remote_attestation = "none"`},
		"loader.log_level":                             {`loader.log_level = "error"`, `loader.log_level = "debug"`},
		"loader.insecure__use_cmdline_argv":            {"sgx.debug", "loader.insecure__use_cmdline_argv = true\nsgx.debug"},
		"loader.insecure__use_host_env":                {"sgx.debug", "loader.insecure__use_host_env = true\nsgx.debug"},
		"loader.insecure__disable_aslr":                {"sgx.debug", "loader.insecure__disable_aslr = true\nsgx.debug"},
		"fs.insecure__keys":                            {"sgx.debug", `fs.insecure__keys.default = "00112233445566778899aabbccddeeff"` + "\nsgx.debug"},
		"fs.root.type":                                 {`fs.root.type = "tmpfs"`, `fs.root.type = "chroot"`},
		"sys.insecure__allow_eventfd":                  {"sgx.debug", "sys.insecure__allow_eventfd = true\nsgx.debug"},
		"sys.experimental__enable_flock":               {"sgx.debug", "sys.experimental__enable_flock = true\nsgx.debug"},
		"sys.debug__mock_syscalls":                     {"sgx.debug", "sys.debug__mock_syscalls = []\nsgx.debug"},
		"sys.allowed_ioctls":                           {"sgx.debug", "sys.allowed_ioctls = []\nsgx.debug"},
		"sys.disallow_subprocesses":                    {"sys.disallow_subprocesses = true\n", ""},
		"sgx.insecure__rpc_thread_num":                 {"sgx.debug", "sgx.insecure__rpc_thread_num = 4\nsgx.debug"},
		"sgx.insecure__allow_memfaults_without_exinfo": {"sgx.debug", "sgx.insecure__allow_memfaults_without_exinfo = true\nsgx.debug"},
		"sgx.file_check_policy":                        {"sgx.debug", `sgx.file_check_policy = "allow_all_but_log"` + "\nsgx.debug"},
		"sgx.enable_stats":                             {"sgx.debug", "sgx.enable_stats = true\nsgx.debug"},
		"sgx.profile":                                  {"sgx.debug", `sgx.profile.enable = "all"` + "\nsgx.debug"},
		"sgx.insecure__something_new":                  {"sgx.debug", "sgx.insecure__something_new = true\nsgx.debug"},
		"fs.mounts[4]":                                 {"/data\", uri", "/data\", uri"}, // replaced below
	} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if name == "fs.mounts[4]" {
			bad = strings.Replace(good, `{ type = "tmpfs", path = "/tmp" }`, `{ type = "untrusted_shm", path = "/dev/shm", uri = "dev:/dev/shm" }`, 1)
			name = "fs.mounts["
		}
		assertRefused(t, name, bad)
	}
	assertRefused(t, "fs.mounts[", strings.Replace(good, ", enable_recovery = true", "", 1))
	assertRefused(t, "fs.mounts", strings.Replace(good, `type = "encrypted", `, "", 1))
	assertRefused(t, "loader.env.SSL_CERT_FILE", strings.Replace(good, "sgx.debug", "loader.env.SSL_CERT_FILE = { passthrough = true }\nsgx.debug", 1))
	assertRefused(t, "sgx.allowed_files", strings.Replace(good, "sgx.allowed_files = [\n", "sgx.allowed_files = [\n  \"file:/etc/\",\n", 1))
}

func assertRefused(t *testing.T, option, manifest string) {
	t.Helper()
	refusals, err := Check([]byte(manifest))
	if err != nil {
		t.Errorf("%s: %v", option, err)
		return
	}
	if !slices.ContainsFunc(refusals, func(r Refusal) bool { return strings.HasPrefix(r.Option, option) }) {
		t.Errorf("%s was not refused: %v", option, refusals)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	o := options()
	o.Binary = "teapot"
	if _, err := Render(o); err == nil {
		t.Error("a relative binary path was accepted")
	}
	o = options()
	o.Passthrough = []string{"ODD"}
	if _, err := Render(o); err == nil {
		t.Error("a variable was both constant and chosen by the host")
	}
}
