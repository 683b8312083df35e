package eventlog

import (
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/internal/plainyaml"
)

// GuestDir is where Teapot's guest API is mounted in its own service; the volume there may be shared with others.
const GuestDir = "/run/teapot"

// platformSockets are the bind mounts that the Teapot service may have.
func platformSockets() []string {
	return []string{
		"/var/run/dstack.sock", "/run/dstack.sock", "/var/run/dstack", "/run/dstack", "/var/run/dstack/dstack.sock", "/run/dstack/dstack.sock",
		"/var/run/tappd.sock", "/run/tappd.sock", "/sys/kernel/config/tsm", "/sys/kernel/config/tsm/report",
	}
}

// judgeYAML applies the rules to the compose file.
func (r *ComposeReport) judgeYAML(text []byte) {
	root, err := plainyaml.Parse(text)
	if err != nil {
		r.find(RuleReadable, "docker_compose_file", "%s", err)
		return
	}
	var services, volumes *plainyaml.Node
	for key, value := range pairs(root) {
		switch key {
		case "services":
			services = value
		case "volumes":
			volumes = value
		case "networks":
			r.networks(value)
		case "name", "version":
			r.literal(key, value)
		default:
			r.find(RuleKeys, key, "unknown key of the compose file")
		}
	}
	if services == nil || services.Kind != plainyaml.Mapping || len(services.Content) == 0 {
		r.find(RuleReadable, "services", "there is no service")
		return
	}
	r.services(services, r.declared(volumes))
}

// pairs ranges over a map in the order of the file; anything else has no pairs.
func pairs(n *plainyaml.Node) func(yield func(string, *plainyaml.Node) bool) {
	return func(yield func(string, *plainyaml.Node) bool) {
		if n == nil || n.Kind != plainyaml.Mapping {
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// empty is null or {}.
func empty(n *plainyaml.Node) bool {
	return n.Null || n.Kind == plainyaml.Mapping && len(n.Content) == 0
}

// interpolated: $$ is a literal dollar, every other one is filled in at start.
func interpolated(s string) bool { return strings.Contains(strings.ReplaceAll(s, "$$", ""), "$") }

// literal refuses interpolation anywhere below n.
func (r *ComposeReport) literal(where string, n *plainyaml.Node) {
	if n.Kind == plainyaml.Scalar && interpolated(n.Value) {
		r.find(RuleInterpolation, where, "%.60q is filled in at start", n.Value)
	}
	for _, c := range n.Content {
		r.literal(where, c)
	}
}

// networks of the compose file may be named and internal, nothing more.
func (r *ComposeReport) networks(n *plainyaml.Node) {
	for name, value := range pairs(n) {
		for key, v := range pairs(value) {
			where := "networks." + name + "." + key
			r.literal(where, v)
			if key != "internal" && (key != "driver" || v.Value != "bridge") {
				r.find(RuleKeys, where, "only internal and driver bridge are known")
			}
		}
	}
}

// declared are the named volumes; options could turn one into a bind of any path.
func (r *ComposeReport) declared(n *plainyaml.Node) []string {
	var names []string
	for name, value := range pairs(n) {
		if !empty(value) {
			r.find(RuleVolumes, "volumes."+name, "has options: they could mount any path of the guest")
		}
		names = append(names, name)
	}
	return names
}

// digestImage says whether an image is named by digest: a repository in lower case, then @sha256: and 64 hex digits.
func digestImage(s string) bool {
	name, digest, ok := strings.Cut(s, "@sha256:")
	return ok && len(digest) == 64 && only(digest, "0123456789abcdef") && name != "" && !strings.ContainsRune("._/:-", rune(name[0])) && only(name, lower+"._/:-")
}

// volumeName says whether a source is the name of a volume, not a path.
func volumeName(s string) bool {
	return s != "" && !strings.ContainsRune("_.-", rune(s[0])) && only(s, lower+upper+"_.-")
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz0123456789"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// only says whether every byte of s is one of these.
func only(s, these string) bool {
	for i := range len(s) {
		if !strings.Contains(these, s[i:i+1]) {
			return false
		}
	}
	return true
}

// mount is one volume of a service.
type mount struct {
	where, source, target string
	bind                  bool
}

func (r *ComposeReport) services(n *plainyaml.Node, declared []string) {
	mounts := map[string][]mount{}
	for name, service := range pairs(n) {
		mounts[name] = r.service("services."+name, name, service)
	}
	slices.SortFunc(r.Services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	r.judgeMounts(mounts, declared)
	for name, service := range pairs(n) {
		r.judgeName(name, service)
	}
}

// judgeName: the compose network resolves container names like service names.
func (r *ComposeReport) judgeName(name string, service *plainyaml.Node) {
	for key, value := range pairs(service) {
		taken := slices.ContainsFunc(r.Services, func(s Service) bool { return s.Name != name && s.Name == value.Value })
		if key == "container_name" && taken {
			r.find(RuleKeys, "services."+name+".container_name", "%.60q is another service's name: requests to that one could land here", value.Value)
		}
	}
}

// service judges one service and returns its mounts.
func (r *ComposeReport) service(where, name string, n *plainyaml.Node) []mount {
	var image string
	var mounts []mount
	if n.Kind != plainyaml.Mapping {
		r.find(RuleReadable, where, "is not a map")
	}
	for key, value := range pairs(n) {
		at := where + "." + key
		if key != "environment" {
			r.literal(at, value)
		}
		switch key {
		case "image":
			image = value.Value
		case "volumes":
			mounts = r.mounts(at, value)
		case "environment":
			r.environment(name, value)
		default:
			r.serviceKey(at, key, value)
		}
	}
	if !digestImage(image) {
		r.find(RuleImages, where+".image", "%.80q does not name its image by digest: other code can run tomorrow", image)
	}
	r.Services = append(r.Services, Service{name, image})
	return mounts
}
