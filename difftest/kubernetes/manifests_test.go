// Package kubernetes judges our manifests with Kubernetes' own types: an API server decodes into the same structs, strictly.
//
// It trusts k8s.io/api for what fields there are and of what type. What it cannot say (whether a cluster has the runtime class or the
// device plugin) stays unsaid.
package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func decode(document []byte) (any, error) {
	var kind struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return nil, err
	}
	var object any
	switch kind.APIVersion + " " + kind.Kind {
	case "apps/v1 StatefulSet":
		object = &appsv1.StatefulSet{}
	case "v1 Service":
		object = &corev1.Service{}
	default:
		return nil, fmt.Errorf("no such kind among ours: %s %s", kind.APIVersion, kind.Kind)
	}
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, err
	}
	strict, err := json.UnmarshalStrict(text, object) // the API server's own: names are case-sensitive
	return object, errors.Join(append(strict, err)...)
}

func documents(t *testing.T, path string) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(raw, []byte("\n---\n"))
}

// TestManifestsAreOfTheSchema decodes every document with unknown and duplicate fields refused, and then checks what admission would
// refuse although every field is known.
func TestManifestsAreOfTheSchema(t *testing.T) {
	files, err := filepath.Glob("../../deploy/kubernetes/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		sets, services := map[string]*appsv1.StatefulSet{}, []*corev1.Service{}
		for i, document := range documents(t, file) {
			object, err := decode(document)
			if err != nil {
				t.Errorf("%s, document %d: %v", filepath.Base(file), i, err)
				continue
			}
			switch o := object.(type) {
			case *appsv1.StatefulSet:
				sets[o.Name] = o
			case *corev1.Service:
				services = append(services, o)
			}
		}
		if len(sets) != 1 || len(services) != 1 {
			t.Fatalf("%s: %d sets and %d services", filepath.Base(file), len(sets), len(services))
		}
		for _, set := range sets {
			admitted(t, set)
			reached(t, set, services[0])
		}
	}
}

// admitted checks the rules of Kubernetes' validation that these manifests touch.
func admitted(t *testing.T, set *appsv1.StatefulSet) {
	t.Helper()
	pod := set.Spec.Template
	for k, v := range set.Spec.Selector.MatchLabels {
		if pod.Labels[k] != v {
			t.Errorf("%s: the selector wants %s=%s, the pod has %q", set.Name, k, v, pod.Labels[k])
		}
	}
	volumes := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range set.Spec.VolumeClaimTemplates {
		volumes[c.Name] = true
	}
	if pod.Spec.RestartPolicy != "" && pod.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		t.Errorf("%s: restart policy %s in a set", set.Name, pod.Spec.RestartPolicy)
	}
	for _, c := range pod.Spec.Containers {
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s: mount %s has no volume", set.Name, m.Name)
			}
		}
		resources(t, set.Name, c.Resources)
	}
}

// resources: a request is at most its limit; an extended resource (sgx.intel.com/…) is a whole number, with both equal where both are given.
func resources(t *testing.T, name string, r corev1.ResourceRequirements) {
	t.Helper()
	for resource, limit := range r.Limits {
		request, ok := r.Requests[resource]
		extended := strings.Contains(string(resource), "/")
		if ok && request.Cmp(limit) > 0 || ok && extended && request.Cmp(limit) != 0 {
			t.Errorf("%s: %s: request %s, limit %s", name, resource, request.String(), limit.String())
		}
		if extended && limit.MilliValue()%1000 != 0 {
			t.Errorf("%s: %s: %s is no whole number", name, resource, limit.String())
		}
	}
	for resource := range r.Requests {
		if _, ok := r.Limits[resource]; !ok && strings.Contains(string(resource), "/") {
			t.Errorf("%s: the extended resource %s needs a limit", name, resource)
		}
	}
}

// reached: the service that the set names exists, selects its pod, and its target port is one of the container's.
func reached(t *testing.T, set *appsv1.StatefulSet, service *corev1.Service) {
	t.Helper()
	if set.Spec.ServiceName != service.Name {
		t.Errorf("%s names the service %q, there is %q", set.Name, set.Spec.ServiceName, service.Name)
	}
	for k, v := range service.Spec.Selector {
		if set.Spec.Template.Labels[k] != v {
			t.Errorf("%s selects %s=%s, which no pod has", service.Name, k, v)
		}
	}
	ports := map[string]bool{}
	for _, c := range set.Spec.Template.Spec.Containers {
		for _, p := range c.Ports {
			ports[p.Name] = true
		}
	}
	for _, p := range service.Spec.Ports {
		if !ports[p.TargetPort.StrVal] {
			t.Errorf("%s: no container port %q", service.Name, p.TargetPort.StrVal)
		}
	}
}

// TestTheEnvelopeOutlivesThePod: data whose key's envelope lay in the container would be lost at the first restart.
func TestTheEnvelopeOutlivesThePod(t *testing.T) {
	object, err := decode(documents(t, "../../deploy/kubernetes/sgx.yaml")[0])
	set, ok := object.(*appsv1.StatefulSet)
	if err != nil || !ok {
		t.Fatalf("%T, %v", object, err)
	}
	claimed := map[string]bool{}
	for _, c := range set.Spec.VolumeClaimTemplates {
		claimed[c.Name] = true
	}
	for _, path := range []string{"/var/lib/teapot", "/var/lib/teapot-envelope"} { // defaults of teapot deploy gramine render
		found := false
		for _, m := range set.Spec.Template.Spec.Containers[0].VolumeMounts {
			found = found || m.MountPath == path && claimed[m.Name]
		}
		if !found {
			t.Errorf("%s lies on no claimed volume", path)
		}
	}
}

// TestTheJudgeSeesMistakes: a judge that accepts everything would prove nothing.
func TestTheJudgeSeesMistakes(t *testing.T) {
	good := string(documents(t, "../../deploy/kubernetes/confidential-containers.yaml")[0])
	for name, change := range map[string][2]string{
		"unknown field":     {"runtimeClassName:", "runtimeClass:"},
		"duplicate field":   {"  replicas: 1\n", "  replicas: 1\n  replicas: 1\n"},
		"wrong type":        {"replicas: 1", "replicas: one"},
		"nested one level":  {"readOnlyRootFilesystem", "readOnlyRootFileSystem"},
		"no quantity":       {"memory: 512Mi", "memory: 512MX"},
		"other api version": {"apiVersion: apps/v1", "apiVersion: apps/v2"},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := decode([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
