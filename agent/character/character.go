// Package character reads Eliza v1 character files: the whole schema, unknown members kept in their order, JSON5,
// extends, search paths, per-character environment. A character is configuration: Teapot attests the exact bytes of
// Public, which never hold secrets, and trusts whoever chose the file; it trusts no file to be well formed.
package character

import (
	"crypto/sha256"
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/uuid"
)

// Character is a valid character. The typed fields are a view of Document; Document holds everything.
type Character struct {
	ID            string // the file's id, else stringToUuid(name)
	Name          string
	Username      string
	System        string
	ModelProvider string
	Endpoint      string // modelEndpointOverride
	Bio           []string
	Lore          []string
	Examples      [][]Example
	PostExamples  []string
	Topics        []string
	Adjectives    []string
	Knowledge     []Knowledge
	Clients       []string
	Plugins       []string
	StyleAll      []string
	StyleChat     []string
	StylePost     []string
	Templates     map[string]string

	Document json5.Value       // the whole file after extends and repairs, secrets still in it
	Path     string            // where it was read from; "" for the embedded one
	Dir      string            // knowledge paths are relative to it
	Notes    []string          // what lenient mode repaired
	Env      map[string]string // process environment, for GetSetting
}

// Example is one line of an example conversation.
type Example struct{ User, Text, Action string }

// Knowledge is one item: a text, a file, or a directory of files.
type Knowledge struct {
	Text, Path, Directory string
	Shared                bool
}

// fromDocument takes the typed view of a document that Validate accepted.
func fromDocument(doc json5.Value) *Character {
	c := &Character{
		Name: doc.Path("name").Text, System: doc.Path("system").Text,
		ModelProvider: doc.Path("modelProvider").Text, Endpoint: doc.Path("modelEndpointOverride").Text,
		Bio: doc.Path("bio").Strings(), Lore: doc.Path("lore").Strings(),
		PostExamples: doc.Path("postExamples").Strings(), Topics: doc.Path("topics").Strings(),
		Adjectives: doc.Path("adjectives").Strings(), Clients: doc.Path("clients").Strings(),
		StyleAll: doc.Path("style", "all").Strings(), StyleChat: doc.Path("style", "chat").Strings(),
		StylePost: doc.Path("style", "post").Strings(), Templates: map[string]string{}, Document: doc,
	}
	c.ID = strings.ToLower(doc.Path("id").Text)
	if c.ID == "" {
		c.ID = uuid.Of(c.Name)
	}
	if c.Username = doc.Path("username").Text; c.Username == "" {
		c.Username = c.Name
	}
	for _, m := range doc.Path("templates").Members {
		c.Templates[m.Name] = m.Value.Text
	}
	c.Examples, c.Knowledge, c.Plugins = examples(doc), knowledge(doc), plugins(doc)
	return c
}

func examples(doc json5.Value) (list [][]Example) {
	for _, conversation := range doc.Path("messageExamples").Items {
		var lines []Example
		for _, line := range conversation.Items {
			content := line.Path("content")
			lines = append(lines, Example{line.Path("user").Text, content.Path("text").Text, content.Path("action").Text})
		}
		list = append(list, lines)
	}
	return list
}

func knowledge(doc json5.Value) (list []Knowledge) {
	for _, item := range doc.Path("knowledge").Items {
		k := Knowledge{Path: item.Path("path").Text, Directory: item.Path("directory").Text, Shared: item.Path("shared").Bool}
		if item.Kind == json5.String {
			k.Text = item.Text
		}
		list = append(list, k)
	}
	return list
}

func plugins(doc json5.Value) (list []string) {
	for _, item := range doc.Path("plugins").Items {
		if name, ok := item.Get("name"); ok {
			item = name
		}
		list = append(list, item.Text)
	}
	return list
}

// Public returns the exact bytes that Teapot attests and shows: the whole character as compact JSON without
// settings.secrets and without any other setting whose name says that it is one.
func (c *Character) Public() []byte {
	doc := c.Document
	if settings, ok := doc.Get("settings"); ok {
		doc = doc.Set("settings", settings.Without(secretName))
	}
	return doc.Append(nil)
}

// Digest is the SHA-256 of Public.
func (c *Character) Digest() [32]byte { return sha256.Sum256(c.Public()) }

func secretName(name string) bool {
	upper := strings.ToUpper(name)
	for _, part := range []string{"SECRET", "PASSWORD", "PASSWD", "PRIVATE", "MNEMONIC", "API_KEY", "APIKEY", "TOKEN", "CREDENTIAL", "COOKIE"} {
		if strings.Contains(upper, part) && !strings.Contains(upper, "TOKENS") {
			return true
		}
	}
	return strings.HasSuffix(upper, "_KEY") || strings.HasSuffix(upper, "_SALT")
}

// Setting is Eliza's getSetting: settings.secrets, then settings, then the environment; each step needs a truthy
// value. The second result tells whether there was one.
func (c *Character) Setting(key string) (string, bool) {
	for _, v := range []json5.Value{c.Document.Path("settings", "secrets", key), c.Document.Path("settings", key)} {
		if v.Truthy() {
			return text(v), true
		}
	}
	v := c.Env[key]
	return v, v != ""
}

// PublicSetting is a setting that everybody may see: part of Public. "" if there is none.
func (c *Character) PublicSetting(key string) string {
	if v := c.Document.Path("settings", key); v.Truthy() && !secretName(key) {
		return text(v)
	}
	return ""
}

// Secret is Eliza's getSecret, used where a value decides what is loaded: settings.secrets, then the environment.
func (c *Character) Secret(key string) (string, bool) {
	if v := c.Document.Path("settings", "secrets", key); v.Truthy() {
		return text(v), true
	}
	v := c.Env[key]
	return v, v != ""
}

func text(v json5.Value) string {
	if v.Kind == json5.String {
		return v.Text
	}
	return string(v.Append(nil))
}
