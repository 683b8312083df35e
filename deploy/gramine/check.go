package gramine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Refusal is one option of a manifest that production must not have.
type Refusal struct {
	Option string // dotted key
	Got    string
	Reason string
	Remedy string
}

func (r Refusal) String() string {
	return fmt.Sprintf("%s = %s: %s; %s", r.Option, r.Got, r.Reason, r.Remedy)
}

// rule refuses an option unless its value is acceptable; absent is acceptable unless required.
type rule struct {
	option   string
	ok       func(v any) bool
	required bool
	reason   string
	remedy   string
}

var (
	isFalse = func(v any) bool { return v == false }
	isTrue  = func(v any) bool { return v == true }
	never   = func(any) bool { return false }
)

func oneOf(words ...any) func(any) bool {
	return func(v any) bool { return slices.Contains(words, v) }
}

// rules is the list of what a production manifest must and must not say.
func rules() []rule {
	return []rule{
		{"sgx.debug", isFalse, true, "a debug enclave's memory is readable by the host", "set sgx.debug = false"},
		{"sgx.remote_attestation", oneOf("dcap"), true, "without quotes nobody can check the enclave", `set sgx.remote_attestation = "dcap"`},
		{"loader.log_level", oneOf("error", "none"), false, "Gramine's log may leak data", `set loader.log_level = "error"`},
		{"loader.insecure__use_cmdline_argv", isFalse, false, "the host would choose the arguments", "put the arguments into loader.argv"},
		{"loader.insecure__use_host_env", isFalse, false, "the host would choose the environment", "list constants in loader.env"},
		{"loader.insecure__disable_aslr", isFalse, false, "address randomisation is off", "remove it"},
		{"fs.insecure__keys", never, false, "the data key would stand in the manifest", "let Teapot set the key through its envelope"},
		{"fs.root.type", oneOf("tmpfs"), true, "the default root shows the host's directory", `set fs.root.type = "tmpfs"`},
		{"sys.insecure__allow_eventfd", isFalse, false, "eventfd passes through the host", "remove it"},
		{"sys.experimental__enable_flock", isFalse, false, "experimental", "remove it"},
		{"sys.debug__mock_syscalls", never, false, "system calls would be faked", "remove it"},
		{"sys.allowed_ioctls", never, false, "ioctls pass through the host", "remove it"},
		{"sys.disallow_subprocesses", isTrue, true, "a child process is not measured the same way", "set it to true"},
		{"sgx.insecure__rpc_thread_num", oneOf(int64(0)), false, "exitless calls (INTEL-SA-00657, INTEL-SA-00615)", "remove it"},
		{"sgx.insecure__allow_memfaults_without_exinfo", isFalse, false, "fault addresses from the host are believed", "remove it"},
		{"sgx.file_check_policy", oneOf("strict"), false, "unknown files would be let through", "remove it"},
		{"sgx.enable_stats", isFalse, false, "statistics need debug", "remove it"},
		{"sgx.profile", never, false, "profiling needs debug", "remove it"},
		{"sgx.vtune_profile", isFalse, false, "profiling needs debug", "remove it"},
	}
}

// Check parses a manifest and lists everything that production refuses, in a fixed order. An error means it is not TOML.
func Check(manifest []byte) ([]Refusal, error) {
	var doc map[string]any
	if err := toml.Unmarshal(manifest, &doc); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	var out []Refusal
	for _, r := range rules() {
		out = append(out, r.apply(doc)...)
	}
	out = append(out, checkUnknownInsecure(doc, "")...)
	out = append(out, checkMounts(doc)...)
	out = append(out, checkEnvironment(doc)...)
	return append(out, checkAllowedFiles(doc)...), nil
}

func (r rule) apply(doc map[string]any) []Refusal {
	v, found := lookup(doc, r.option)
	if !found && !r.required || found && r.ok(v) {
		return nil
	}
	got := "absent"
	if found {
		got = fmt.Sprint(v)
	}
	return []Refusal{{Option: r.option, Got: got, Reason: r.reason, Remedy: r.remedy}}
}

// checkUnknownInsecure refuses every option named insecure or experimental that no rule knows: unknown means refused.
func checkUnknownInsecure(doc map[string]any, prefix string) []Refusal {
	known := map[string]bool{}
	for _, r := range rules() {
		known[r.option] = true
	}
	var out []Refusal
	for _, key := range sortedAnyKeys(doc) {
		path := strings.TrimPrefix(prefix+"."+key, ".")
		if known[path] || prefix == "loader.env" {
			continue
		}
		for _, mark := range []string{"insecure__", "experimental__", "debug__"} {
			if strings.HasPrefix(key, mark) {
				out = append(out, Refusal{path, fmt.Sprint(doc[key]), "an option Gramine itself calls " + strings.TrimSuffix(mark, "__"), "remove it"})
			}
		}
		if inner, ok := doc[key].(map[string]any); ok {
			out = append(out, checkUnknownInsecure(inner, path)...)
		}
	}
	return out
}

func checkMounts(doc map[string]any) []Refusal {
	v, _ := lookup(doc, "fs.mounts")
	mounts, _ := v.([]any)
	var out []Refusal
	encrypted := false
	for i, m := range mounts {
		mount, _ := m.(map[string]any)
		option := fmt.Sprintf("fs.mounts[%d]", i)
		switch mount["type"] {
		case nil, "chroot", "tmpfs":
		case "encrypted":
			encrypted = encrypted || mount["path"] == DataPath
			if mount["enable_recovery"] != true {
				out = append(out, Refusal{option, "no recovery", "a kill between two host writes destroys the file", "set enable_recovery = true (Gramine 1.9 or newer)"})
			}
		default:
			out = append(out, Refusal{option, fmt.Sprint(mount["type"]), "shared with the host without encryption", "remove the mount"})
		}
	}
	if !encrypted {
		out = append(out, Refusal{"fs.mounts", "no encrypted " + DataPath, "the log would lie in the clear", "mount " + DataPath + " with type encrypted"})
	}
	return out
}

// steering are variables that say what is trusted or where it lies: their values must be measured.
var steering = []string{
	"GODEBUG", "SGX", "SSL_CERT_DIR", "SSL_CERT_FILE", "TEAPOT_DATA", "TEAPOT_OPERATOR_KEY_FILE", "TEAPOT_PLATFORM", "TEE_MODE",
	"DSTACK_SIMULATOR_ENDPOINT", "TAPPD_SIMULATOR_ENDPOINT",
}

func checkEnvironment(doc map[string]any) []Refusal {
	var out []Refusal
	for _, name := range passedThrough(doc) {
		if slices.Contains(steering, name) {
			out = append(out, Refusal{"loader.env." + name, "passthrough", "the host would choose what is trusted", "give it a constant value, or leave it out"})
		}
	}
	return out
}

// checkAllowedFiles accepts nothing but the envelope directory, whose content is sealed by Teapot itself.
func checkAllowedFiles(doc map[string]any) []Refusal {
	v, _ := lookup(doc, "sgx.allowed_files")
	files, _ := v.([]any)
	source := mountSource(doc, EnvelopePath)
	var out []Refusal
	for _, f := range files {
		if f != source+"/" || source == "" {
			out = append(out, Refusal{"sgx.allowed_files", fmt.Sprint(f), "the host may change it unnoticed", "make it a trusted file"})
		}
	}
	return out
}

func mountSource(doc map[string]any, path string) string {
	v, _ := lookup(doc, "fs.mounts")
	mounts, _ := v.([]any)
	for _, m := range mounts {
		if mount, _ := m.(map[string]any); mount["path"] == path {
			s, _ := mount["uri"].(string)
			return s
		}
	}
	return ""
}

func lookup(doc map[string]any, dotted string) (any, bool) {
	head, rest, more := strings.Cut(dotted, ".")
	v, ok := doc[head]
	if !ok || !more {
		return v, ok
	}
	inner, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}

// Passthrough lists the environment variables whose value the host chooses: unmeasured inputs of the boot statement.
func Passthrough(manifest []byte) ([]string, error) {
	var doc map[string]any
	if err := toml.Unmarshal(manifest, &doc); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	return passedThrough(doc), nil
}

func passedThrough(doc map[string]any) (names []string) {
	v, _ := lookup(doc, "loader.env")
	env, _ := v.(map[string]any)
	for _, name := range sortedAnyKeys(env) {
		if m, ok := env[name].(map[string]any); ok && m["passthrough"] == true {
			names = append(names, name)
		}
	}
	return names
}
