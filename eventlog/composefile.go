package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
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
	root, err := plainYAML(text)
	if err != nil {
		r.find(RuleReadable, "docker_compose_file", "%s", err)
		return
	}
	var services, volumes *yaml.Node
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
	if services == nil || services.Kind != yaml.MappingNode || len(services.Content) == 0 {
		r.find(RuleReadable, "services", "there is no service")
		return
	}
	r.services(services, r.declared(volumes))
}

// plainYAML parses one document of maps, lists and scalars. Anchors, aliases, merges, tags, duplicate keys and keys that
// are not plain strings have other meanings to other parsers: refused.
func plainYAML(text []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the compose file is not a map")
	}
	return doc.Content[0], plain(doc.Content[0], 0)
}

func plain(n *yaml.Node, depth int) error {
	at := func(what string) error { return fmt.Errorf("line %d: %s", n.Line, what) }
	switch {
	case depth > 32:
		return at("nested deeper than 32")
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return at("anchors and aliases are not read here")
	case n.Style&yaml.TaggedStyle != 0:
		return at("tags are not read here")
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]bool{}
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode || k.Tag != "!!str" || strings.Contains(k.Value, "$") || seen[k.Value] {
				return fmt.Errorf("line %d: key %.40q is not a plain string, or there twice", k.Line, k.Value)
			}
			seen[k.Value] = true
		}
	}
	for _, c := range n.Content {
		if err := plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// pairs ranges over a map in the order of the file; anything else has no pairs.
func pairs(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
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
func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" || n.Kind == yaml.MappingNode && len(n.Content) == 0
}

// interpolated: $$ is a literal dollar, every other one is filled in at start.
func interpolated(s string) bool { return strings.Contains(strings.ReplaceAll(s, "$$", ""), "$") }

// literal refuses interpolation anywhere below n.
func (r *ComposeReport) literal(where string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && interpolated(n.Value) {
		r.find(RuleInterpolation, where, "%.60q is filled in at start", n.Value)
	}
	for _, c := range n.Content {
		r.literal(where, c)
	}
}

// networks of the compose file may be named and internal, nothing more.
func (r *ComposeReport) networks(n *yaml.Node) {
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
func (r *ComposeReport) declared(n *yaml.Node) []string {
	var names []string
	for name, value := range pairs(n) {
		if !empty(value) {
			r.find(RuleVolumes, "volumes."+name, "has options: they could mount any path of the guest")
		}
		names = append(names, name)
	}
	return names
}

var (
	digestImage = regexp.MustCompile(`^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$`)
	volumeName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
)

// mount is one volume of a service.
type mount struct {
	where, source, target string
	bind                  bool
}

func (r *ComposeReport) services(n *yaml.Node, declared []string) {
	mounts := map[string][]mount{}
	for name, service := range pairs(n) {
		mounts[name] = r.service("services."+name, name, service)
	}
	slices.SortFunc(r.Services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	r.judgeMounts(mounts, declared)
}

// service judges one service and returns its mounts.
func (r *ComposeReport) service(where, name string, n *yaml.Node) []mount {
	var image string
	var mounts []mount
	if n.Kind != yaml.MappingNode {
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
	if !digestImage.MatchString(image) {
		r.find(RuleImages, where+".image", "%.80q does not name its image by digest: other code can run tomorrow", image)
	}
	r.Services = append(r.Services, Service{name, image})
	return mounts
}
