package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/eventlog"
)

type object = map[string]any

// TestComposeFilesAreHardened: read-only root, no capabilities, no new privileges in the simulator's file; the platform's sockets in
// one service only in the production form.
func TestComposeFilesAreHardened(t *testing.T) {
	var dev struct {
		Services map[string]struct {
			ReadOnly bool     `yaml:"read_only"`
			CapDrop  []string `yaml:"cap_drop"`
			Security []string `yaml:"security_opt"`
			Volumes  []string
		}
		Volumes map[string]any
	}
	read(t, "compose/simulator.yaml", &dev)
	if len(dev.Services) != 2 {
		t.Errorf("%d services", len(dev.Services))
	}
	for name, s := range dev.Services {
		if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.Security, "no-new-privileges:true") {
			t.Errorf("service %s is not hardened: %+v", name, s)
		}
		if mounted := slices.ContainsFunc(s.Volumes, func(v string) bool { return strings.HasPrefix(v, "platform:") }); !mounted {
			t.Errorf("service %s does not share the platform's socket", name)
		}
	}
}

// TestProductionComposeIsOnTheAllowList: what render makes of our own file must not be contraindicated for a reader.
func TestProductionComposeIsOnTheAllowList(t *testing.T) {
	compose, err := os.ReadFile("compose/production.yaml")
	if err != nil {
		t.Fatal(err)
	}
	assertAllowed(t, compose)
	digest := "@sha256:" + strings.Repeat("ab", 32)
	wrapped, err := appcompose.Wrap{Image: "docker.io/elizaos/eliza" + digest, Teapot: "docker.io/me/teapot" + digest, Agent: "Eliza", Ports: []string{"80:3000"}, Env: []string{"OPENAI_API_KEY"}}.Compose()
	if err != nil {
		t.Fatal(err)
	}
	assertAllowed(t, wrapped)
}

// TestProductionComposeHasTheDocumentsVariables: who comes from "Eliza in a TEE" finds every name again. A value of a secret stands nowhere.
func TestProductionComposeHasTheDocumentsVariables(t *testing.T) {
	shared := os.Getenv("TEAPOT_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	document, err := os.ReadFile(filepath.Join(shared, "documents", "eliza-in-tee.zh.md"))
	if err != nil {
		t.Skipf("the document is not here: %v", err)
	}
	compose, err := os.ReadFile("compose/production.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^ +- ([A-Z0-9_]+)=(\S+)$`).FindAllStringSubmatch(string(document), -1)
	if len(names) < 20 {
		t.Fatalf("%d variables in the document", len(names))
	}
	for _, n := range names {
		secret := strings.HasPrefix(n[2], "$")
		if found := regexp.MustCompile(`(?m)^ +- ` + n[1] + `(=\S+)?( +#.*)?$`).FindStringSubmatch(string(compose)); found == nil || secret && found[1] != "" {
			t.Errorf("%s: %q", n[1], found)
		}
	}
}

func assertAllowed(t *testing.T, compose []byte) {
	t.Helper()
	app, err := appcompose.Render(appcompose.Options{Name: "teapot-agent", Compose: compose, AllowedEnvs: []string{"WALLET_SECRET_SALT"}, KMS: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range eventlog.ComposeFindings(app.Bytes) {
		t.Errorf("%s\n%s", finding, compose)
	}
}

// TestKubernetesManifests checks what a schema would, and what it would not: images by digest, one writer, nothing privileged.
func TestKubernetesManifests(t *testing.T) {
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range strings.Split(string(raw), "\n---\n") {
			var o object
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			checkKubernetes(t, file, o)
		}
	}
}

func checkKubernetes(t *testing.T, file string, o object) {
	t.Helper()
	kinds := map[string]string{"StatefulSet": "apps/v1", "Service": "v1"}
	kind, _ := o["kind"].(string)
	if o["apiVersion"] != kinds[kind] || kinds[kind] == "" {
		t.Errorf("%s: %v %v", file, o["apiVersion"], kind)
	}
	if kind != "StatefulSet" {
		return
	}
	spec, _ := o["spec"].(object)
	template, _ := spec["template"].(object)
	pod, _ := template["spec"].(object)
	containers, _ := pod["containers"].([]any)
	if spec["replicas"] != 1 || pod["automountServiceAccountToken"] != false || len(containers) != 1 {
		t.Errorf("%s: replicas %v, %d containers", file, spec["replicas"], len(containers))
		return
	}
	c, _ := containers[0].(object)
	image, _ := c["image"].(string)
	security, _ := c["securityContext"].(object)
	if !strings.Contains(image, "@sha256:") || security["allowPrivilegeEscalation"] != false {
		t.Errorf("%s: image %s, security %v", file, image, security)
	}
}

func read(t *testing.T, path string, v any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
