package character

import "github.com/teapot-tee/teapot/agent/json5"

// Providers are the values that modelProvider may have, in Eliza 0.1.9's order.
var Providers = []string{
	"openai", "eternalai", "anthropic", "grok", "groq", "llama_cloud", "together", "llama_local", "lmstudio", "google",
	"mistral", "claude_vertex", "redpill", "openrouter", "ollama", "heurist", "galadriel", "falai", "gaianet",
	"ali_bailian", "volengine", "nanogpt", "hyperbolic", "venice", "nvidia", "nineteen_ai", "akash_chat_api", "livepeer",
	"letzai", "deepseek", "infera", "bedrock", "atoma",
}

// Clients are the values of clients, in Eliza's order.
var Clients = []string{
	"alexa", "discord", "direct", "twitter", "telegram", "telegram-account", "farcaster", "lens", "auto", "slack",
	"github", "instagram", "simsai", "xmtp", "deva",
}

var (
	str     = kind(json5.String, "a text in quotes")
	number  = kind(json5.Number, "a number")
	boolean = kind(json5.Bool, "true or false")
	texts   = array(str, "a list of texts, as in [\"one\", \"two\"]")
)

// schema is core 0.1.9's CharacterSchema, in its order, with 0.25's settings.modelConfig.
var schema = []field{
	{name: "id", rule: uuidRule},
	{name: "name", required: true, expected: "a text: the character's name", rule: str},
	{name: "system", rule: str},
	{name: "modelProvider", required: true, expected: "one of 'openai', 'anthropic', 'ollama', 'llama_local', …", rule: enum(Providers)},
	{name: "modelEndpointOverride", rule: str},
	{name: "templates", rule: record(str, "an object of texts")},
	{name: "bio", required: true, missing: "Invalid input", expected: "a text or a list of texts", rule: union("a text or a list of texts", str, texts)},
	{name: "lore", required: true, expected: "a list of texts (may be empty)", rule: texts},
	{name: "messageExamples", required: true, expected: "a list of conversations, each a list of {user, content: {text}} (may be empty)", rule: conversations},
	{name: "postExamples", required: true, expected: "a list of texts (may be empty)", rule: texts},
	{name: "topics", required: true, expected: "a list of texts (may be empty)", rule: texts},
	{name: "adjectives", required: true, expected: "a list of texts (may be empty)", rule: texts},
	{name: "knowledge", rule: array(knowledgeItem, "a list of texts, {path} and {directory} objects")},
	{name: "clients", required: true, expected: "a list of client names (may be empty)", rule: array(enum(Clients), "a list of client names")},
	{name: "plugins", required: true, missing: "Invalid input", expected: "a list of plugin names (may be empty)", rule: pluginList},
	{name: "settings", rule: settings},
	{name: "clientConfig", rule: object("an object", field{name: "discord", rule: botConfig}, field{name: "telegram", rule: botConfig})},
	{name: "style", required: true, expected: "an object {all, chat, post} of lists of texts", rule: style},
	{name: "twitterProfile", rule: object("an object {username, screenName, bio}",
		needed("username", str), needed("screenName", str), needed("bio", str), field{name: "nicknames", rule: texts})},
	{name: "nft", rule: object("an object", field{name: "prompt", rule: str})},
	{name: "extends", rule: array(str, "a list of file names")},
}

func needed(name string, r rule) field {
	return field{name: name, required: true, expected: "a text", rule: r}
}

var conversations = array(array(object("an object {user, content: {text}}",
	needed("user", str),
	field{name: "content", required: true, expected: "an object {text, action?}", rule: object("an object {text, action?}",
		needed("text", str), field{name: "action", rule: str}, field{name: "source", rule: str}, field{name: "url", rule: str},
		field{name: "inReplyTo", rule: uuidRule}, field{name: "attachments", rule: array(anything, "a list")})},
), "a conversation: a list of {user, content: {text}}"), "a list of conversations, each itself a list")

func anything(*checker, string, json5.Value) {}

var knowledgeItem = union("a text, or {\"path\": FILE}, or {\"directory\": DIR}", str,
	object("", needed("path", str), field{name: "shared", rule: boolean}),
	object("", needed("directory", str), field{name: "shared", rule: boolean}))

var pluginList = union("a list of plugin names, or of objects {name, description}", texts,
	array(object("", needed("name", str), needed("description", str), field{name: "actions", rule: array(anything, "")},
		field{name: "providers", rule: array(anything, "")}, field{name: "evaluators", rule: array(anything, "")},
		field{name: "services", rule: array(anything, "")}, field{name: "clients", rule: array(anything, "")}), ""))

var settings = object("an object",
	field{name: "secrets", rule: record(str, "an object of texts")},
	field{name: "voice", rule: object("an object {model?, url?}", field{name: "model", rule: str}, field{name: "url", rule: str})},
	field{name: "model", rule: str},
	field{name: "modelConfig", rule: object("an object of numbers", field{name: "maxInputTokens", rule: number},
		field{name: "maxOutputTokens", rule: number}, field{name: "temperature", rule: number},
		field{name: "frequency_penalty", rule: number}, field{name: "presence_penalty", rule: number})},
	field{name: "embeddingModel", rule: str})

var botConfig = object("an object", field{name: "shouldIgnoreBotMessages", rule: boolean},
	field{name: "shouldIgnoreDirectMessages", rule: boolean})

var style = object("an object {all, chat, post} of lists of texts",
	field{name: "all", required: true, expected: "a list of texts (may be empty)", rule: texts},
	field{name: "chat", required: true, expected: "a list of texts (may be empty)", rule: texts},
	field{name: "post", required: true, expected: "a list of texts (may be empty)", rule: texts})
