package character

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
)

// Repair fixes the mistakes that users of Eliza report most, where there is only one thing that can have been meant,
// and says what it changed. It never invents a name, a biography or a model.
func Repair(doc json5.Value) (json5.Value, []string) {
	if doc.Kind != json5.Object {
		return doc, nil
	}
	r := &repairer{doc: doc}
	for _, step := range []func(){r.unwrap, r.examples, r.knowledge, r.lists, r.style, r.clients, r.plugins, r.provider} {
		step()
	}
	return r.doc, r.notes
}

type repairer struct {
	doc   json5.Value
	notes []string
}

func (r *repairer) set(name string, v json5.Value, note string, args ...any) {
	r.doc = r.doc.Set(name, v)
	r.notes = append(r.notes, name+": "+fmt.Sprintf(note, args...))
}

// unwrap takes the character out of {"character": {…}}, the shape that GET /agents/{id} answers.
func (r *repairer) unwrap() {
	inner, ok := r.doc.Get("character")
	if _, named := r.doc.Get("name"); ok && !named && inner.Kind == json5.Object {
		r.doc = inner
		r.notes = append(r.notes, "character: took the object inside")
	}
}

func (r *repairer) examples() {
	v, ok := r.doc.Get("messageExamples")
	if !ok || v.Kind != json5.Array {
		return
	}
	if len(v.Items) > 0 && !slices.ContainsFunc(v.Items, func(i json5.Value) bool { return i.Kind != json5.Object }) {
		v = json5.Value{Kind: json5.Array, Items: []json5.Value{v}}
		r.set("messageExamples", v, "was one flat list; made it one conversation")
	}
	fixed, users, actions := fixLines(v)
	if users > 0 {
		r.set("messageExamples", fixed, "%d lines had \"name\" (Eliza v2); renamed to \"user\"", users)
	}
	if actions > 0 {
		r.set("messageExamples", fixed, "%d lines had \"actions\" (Eliza v2); kept the first as \"action\"", actions)
	}
}

// fixLines gives v2's lines their v1 names and counts them.
func fixLines(v json5.Value) (fixed json5.Value, users, actions int) {
	fixed = json5.Value{Kind: json5.Array}
	for _, conversation := range v.Items {
		lines := json5.Value{Kind: conversation.Kind}
		for _, line := range conversation.Items {
			if name, v2 := line.Get("name"); v2 && line.Path("user").Kind == json5.Null {
				line = json5.Value{Kind: json5.Object}.Set("user", name).Set("content", line.Path("content"))
				users++
			}
			if list := line.Path("content", "actions").Strings(); len(list) > 0 && line.Path("content", "action").Kind == json5.Null {
				line = line.Set("content", line.Path("content").Set("action", json5.Str(list[0])))
				actions++
			}
			lines.Items = append(lines.Items, line)
		}
		fixed.Items = append(fixed.Items, lines)
	}
	return fixed, users, actions
}

// knowledge flattens the object that the characterfile tools write (elizaOS/characterfile#7).
func (r *repairer) knowledge() {
	v, ok := r.doc.Get("knowledge")
	if !ok || v.Kind != json5.Object && v.Kind != json5.String && !holdsDocuments(v) {
		return
	}
	list := json5.Value{Kind: json5.Array, Items: []json5.Value{}}
	collectTexts(v, &list)
	r.set("knowledge", list, "was %s; took the %d texts in it", v.Kind, len(list.Items))
}

// holdsDocuments says whether a list has objects that are no {path} or {directory}, as v2's and the tools' documents. A list with
// paths in it is left alone: their texts are not here.
func holdsDocuments(list json5.Value) bool {
	found := false
	for _, item := range list.Items {
		_, path := item.Get("path")
		_, directory := item.Get("directory")
		if path || directory {
			return false
		}
		found = found || item.Kind == json5.Object
	}
	return found
}

func collectTexts(v json5.Value, into *json5.Value) {
	if v.Kind == json5.String && v.Text != "" {
		into.Items = append(into.Items, v)
	}
	for _, item := range v.Items {
		collectTexts(item, into)
	}
	if documents, ok := v.Get("documents"); ok {
		collectTexts(documents, into) // its "chunks" repeat the documents
		return
	}
	for _, m := range v.Members {
		if m.Value.Kind == json5.Array || slices.Contains([]string{"text", "content", "document"}, m.Name) {
			collectTexts(m.Value, into)
		}
	}
}

// lists adds the lists that later versions of Eliza no longer write.
func (r *repairer) lists() {
	for _, name := range []string{"lore", "messageExamples", "postExamples", "topics", "adjectives", "clients", "plugins"} {
		if v, ok := r.doc.Get(name); !ok || v.Kind == json5.Null {
			r.set(name, json5.Value{Kind: json5.Array}, "was missing; now an empty list")
		}
	}
}

func (r *repairer) style() {
	v, ok := r.doc.Get("style")
	if ok && v.Kind != json5.Object && v.Kind != json5.Null {
		return
	}
	for _, name := range []string{"all", "chat", "post"} {
		if _, has := v.Get(name); !has {
			v = v.Set(name, json5.Value{Kind: json5.Array})
			r.set("style", v, "%s was missing; now an empty list", name)
		}
	}
}

func (r *repairer) clients() {
	v, _ := r.doc.Get("clients")
	kept := json5.Value{Kind: json5.Array}
	changed := false
	for _, item := range v.Items {
		lower := strings.ToLower(strings.TrimPrefix(item.Text, "@elizaos/client-"))
		known := slices.Contains(Clients, lower)
		changed = changed || !known || lower != item.Text
		if known {
			kept.Items = append(kept.Items, json5.Str(lower))
			continue
		}
		r.notes = append(r.notes, fmt.Sprintf("clients: left out %.40q, which Eliza does not know", item.Text))
	}
	if changed && v.Kind == json5.Array {
		r.set("clients", kept, "names are now in lower case and known")
	}
}

// plugins turns a list that mixes names and incomplete objects into names.
func (r *repairer) plugins() {
	v, _ := r.doc.Get("plugins")
	check := checker{}
	if pluginList(&check, "plugins", v); v.Kind != json5.Array || len(check.problems) == 0 {
		return
	}
	names := json5.Value{Kind: json5.Array}
	for _, item := range v.Items {
		if item.Kind == json5.Object {
			item = item.Path("name")
		}
		if item.Kind == json5.String {
			names.Items = append(names.Items, item)
		}
	}
	r.set("plugins", names, "objects without a description; kept their names")
}

// provider lower-cases the model provider, or reads it off the plugins as Eliza v2 does.
func (r *repairer) provider() {
	v, ok := r.doc.Get("modelProvider")
	if ok && v.Kind == json5.String {
		if lower := strings.ToLower(v.Text); lower != v.Text && slices.Contains(Providers, lower) {
			r.set("modelProvider", json5.Str(lower), "is now in lower case")
		}
		return
	}
	if ok && v.Kind != json5.Null {
		return
	}
	for _, name := range plugins(r.doc) {
		guess := strings.TrimPrefix(name[strings.LastIndexByte(name, '/')+1:], "plugin-")
		if guess == "local-ai" {
			guess = "llama_local"
		}
		if slices.Contains(Providers, guess) {
			r.set("modelProvider", json5.Str(guess), "was missing; read %q off the plugin %q (Eliza v2)", guess, name)
			return
		}
	}
}
