package offline

import "regexp"

// rule is one line of the script: the first pattern that matches answers. {rest} is the last group, reflected.
// A rule with an action is skipped when the agent has no such action.
type rule struct {
	pattern *regexp.Regexp
	action  string
	answers []string
}

func on(pattern, action string, answers ...string) rule {
	return rule{regexp.MustCompile(`(?i)` + pattern), action, answers}
}

// script is read from top to bottom: what the agent can do and prove, then what it is, then ELIZA.
var script = []rule{
	on(`\b(send|transfer|pay)\b.*\b(sol|eth|wei|lamports?|usdc)\b`, "TRANSFER", "Let me see whether my spending policy allows that."),
	on(`(转账|转出|汇|支付).*(sol|eth|以太|索拉纳)`, "TRANSFER", "让我看看我的支出策略是否允许。"),
	on(`\b(balance|how much (sol|eth|money))\b`, "WALLET_BALANCE", "Let me look at the chain."),
	on(`余额|多少(钱|币)`, "WALLET_BALANCE", "我查一下链上的余额。"),
	on(`\bwallets?\b|\byour\b.*\b(address(es)?|public key)\b`, "WALLET_ADDRESS", "These are my addresses. The keys never leave the TEE."),
	on(`钱包|你的.*(地址|公钥)`, "WALLET_ADDRESS", "这是我的钱包地址，密钥从不离开TEE。"),
	on(`\b(attest(ation)?|quote|prove|proof|enclave)\b`, "REMOTE_ATTESTATION", "I am making a fresh quote for your message."),
	on(`证明|认证|报价|可信执行`, "REMOTE_ATTESTATION", "我正在为你的这条消息生成新的远程证明。"),
	on(`\b(unmute|speak again)\b`, "UNMUTE_ROOM", "I am back."),
	on(`\b(mute|be quiet|shut up)\b`, "MUTE_ROOM", "I will be quiet in this room until you unmute me."),
	on(`\bunfollow\b`, "UNFOLLOW_ROOM", "I will only answer when spoken to."),
	on(`\bfollow (this|the) (room|conversation)\b`, "FOLLOW_ROOM", "I will follow this conversation."),
	on(`\b(tweet|post (a|something))\b`, "POST_TWEET", "Short and stout, sealed, and every step on the record. Ask for the proof."),
	on(`\broll\b.*\bdi(c)?e\b`, "ROLL_DICE", "Here they go."),

	on(`\b(receipt|verify|trust you|tamper|log)\b`, "", "Every reply of mine carries a receipt: run \"teapot verify\" on this address, or on the saved receipt. You need not take my word."),
	on(`收据|验证|可信|篡改|日志`, "", "我的每条回复都带有收据：用 teapot verify 检查即可，不必相信我的话。"),
	on(`\b(simulat\w*|hardware|tee|sgx|tdx)\b`, "", "Whether this is real hardware or a simulator is not mine to say: \"teapot verify\" reads it off the quote."),
	on(`模拟|硬件|TEE`, "", "我是否运行在真实硬件上，不由我来说：teapot verify 会从证明中读出来。"),
	on(`\b(private key|seed phrase|secret|password|api key)\b`, "", "Secrets stay in the TEE. I do not have them in this conversation, so nobody can talk me into giving them away."),
	on(`私钥|助记词|密码|秘密`, "", "秘密只留在TEE里，不在这段对话中，所以没有人能哄我说出来。"),
	on(`\b(who|what) are you\b|\byour name\b|\bintroduce yourself\b`, "", "I am {agent}, an agent whose every step is recorded where strangers can check it."),
	on(`你是谁|你叫什么|你的名字|介绍.*自己`, "", "我是{agent}，一个每一步都被记录、任何人都能检查的智能体。"),
	on(`\bwhat can you do\b|^\s*help\b`, "", "I can tell you my wallet addresses, prove what I am with a fresh quote, remember our conversation, and listen. Ask for any of them."),
	on(`你能做什么|你会什么|帮助`, "", "我可以告诉你我的钱包地址、用新的远程证明说明我是什么、记住我们的对话，也愿意倾听。"),
	on(`\b(my name is|call me)\s+([\p{L}\p{N}'-]+)`, "", "Pleased to meet you, {rest}. What brings you here?"),
	on(`(?:我叫|我的名字是)\s*([\p{Han}\p{L}\p{N}]+)`, "", "很高兴认识你，{rest}。你想聊什么？"),
	on(`^\s*(hi|hello|hey|good (morning|evening|afternoon)|greetings)\b`, "", "Hello. I am {agent}. What is on your mind?", "Hello. What would you like to talk about?"),
	on(`你好|您好|早上好|晚上好|嗨`, "", "你好，我是{agent}。你在想什么？", "你好。想聊些什么？"),
	on(`\b(bye|goodbye|see you)\b|再见|拜拜`, "", "Goodbye. The log keeps what we said. 再见。"),
	on(`\b(thanks|thank you)\b`, "", "You are welcome.", "My pleasure."),
	on(`谢谢|多谢`, "", "不客气。"),
	on(`\btea(pot)?s?\b`, "", "I am short and stout, and sealed. What about tea?"),
	on(`茶`, "", "茶要热的，壶要密封的。说说你喜欢的茶？"),

	on(`\bi need (.+)`, "", "What would it mean to you to get {rest}?", "Why do you need {rest}?"),
	on(`\bi (?:want|would like) (.+)`, "", "What would you do if you got {rest}?", "Why do you want {rest}?"),
	on(`\bi (?:am|'m) (?:so |very )?(sad|unhappy|depressed|afraid|angry|tired|lonely)`, "", "I am sorry to hear that you are {rest}. When did it begin?"),
	on(`\bi(?: am|'m) (.+)`, "", "How long have you been {rest}?", "How do you feel about being {rest}?"),
	on(`\bi feel (.+)`, "", "Do you often feel {rest}?", "When do you usually feel {rest}?"),
	on(`\bi (?:can't|cannot) (.+)`, "", "What would happen if you could {rest}?"),
	on(`\bi (?:think|believe) (.+)`, "", "What makes you think {rest}?", "Do you doubt that {rest}?"),
	on(`\bi remember (.+)`, "", "What else comes to mind when you think of {rest}?"),
	on(`\bbecause (.+)`, "", "Is that the only reason?", "What else follows from {rest}?"),
	on(`\bmy (mother|father|sister|brother|wife|husband|son|daughter|family|friend)`, "", "Tell me more about your {rest}."),
	on(`\bmy (.+)`, "", "Why do you say your {rest}?", "What does your {rest} mean to you?"),
	on(`\bwhy (?:don't|do not) you (.+)`, "", "Do you want me to {rest}?"),
	on(`\bare you (.+)`, "", "Why does it matter to you whether I am {rest}?", "Suppose I were {rest}. What then?"),
	on(`\byou (?:are|'re) (.+)`, "", "What makes you think I am {rest}?"),
	on(`\bcan you (.+)`, "", "What would you hope for if I could {rest}?"),
	on(`^\s*yes\b`, "", "You seem sure. Please go on.", "I see. And then?"),
	on(`^\s*no\b`, "", "Why not?", "You say no. Is that final?"),
	on(`\b(always|never|everybody|nobody)\b`, "", "Can you think of one example?", "Really {rest}?"),
	on(`^\s*(?:what|who|when|where|how|why|which)\b`, "", "I am a small script without the world's knowledge: what answer would help you?", "Why do you ask?"),

	on(`我需要(.+)`, "", "得到{rest}对你意味着什么？"),
	on(`我想要?(.+)`, "", "你为什么想{rest}？", "如果{rest}实现了，然后呢？"),
	on(`我(?:很|非常|感到|觉得)(.+)`, "", "你常常觉得{rest}吗？", "从什么时候开始{rest}的？"),
	on(`我是(.+)`, "", "作为{rest}，你感觉怎么样？"),
	on(`我的(.+)`, "", "多说说你的{rest}吧。"),
	on(`因为(.+)`, "", "这是唯一的原因吗？"),
	on(`你是(.+)吗`, "", "我是不是{rest}，对你为什么重要？"),
	on(`为什么(.+)`, "", "你自己怎么看？"),
}

var otherwise = []string{
	"Please go on.", "Tell me more about that.", "What does that suggest to you?", "I see. And how does that strike you?",
}

var otherwiseChinese = []string{"请继续说。", "能再多说一些吗？", "这让你想到什么？", "我明白了。然后呢？"}

var mirror = map[string]string{
	"i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are", "i'm": "you are",
	"you": "I", "your": "my", "yours": "mine", "yourself": "myself", "you're": "I am", "was": "were",
}
