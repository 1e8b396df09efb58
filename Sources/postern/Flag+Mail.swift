import Mail

extension Flag {
    /// The commands that send mails.
    private static let sending: [Command] = [.serve, .call, .account, .outbox, .mail]
    /// The commands that post mails: `verify` and `helper` leave them in the outbox, for a server to send.
    private static let posting = sending + [.verify, .helper]

    /// The flags of mails.
    static let mail: [Flag] = [
        Flag(
            name: "public-url",
            value: "URL",
            summary: "the base URL of links in mails (http://localhost)",
            commands: posting
        ) { options, text in
            options.publicURL = text.hasSuffix("/") ? String(text.dropLast()) : text
            return canStartLinks(text)
        },
        .withPath(
            name: "mail",
            value: "keep|directory:DIR|command:COMMAND|smtp://HOST|smtps://HOST|host",
            summary:
                "how mails are delivered (keep: they stay in the outbox; smtp://[USER@]HOST[:PORT]: to a mail server with "
                + "STARTTLS; smtps://…: with TLS from the start; host: as requests mail.deliver to the host)",
            commands: sending,
            hint: { text in
                text.hasPrefix("smtp")
                    ? "smtp://[USER@]HOST[:PORT][/NAME], with the password in --mail-password-file" : nil
            }
        ) { options, text in
            guard let route = MailRoute(text) else { return false }
            options.mail = route
            return true
        },
        .withPath(
            name: "mail-password-file",
            value: "FILE",
            summary: "a file with the password of the user in smtp://USER@HOST or smtps://USER@HOST",
            commands: sending
        ) { options, text in
            options.mailPasswordFile = text
            return true
        },
        Flag(
            name: "mail-from",
            value: "ADDRESS",
            summary: "the sender of mails (postern@HOST, with the host of --public-url)",
            commands: posting
        ) { options, text in
            options.mailSender = MailSender(text)
            return options.mailSender != nil
        },
        .withPath(
            name: "mail-templates",
            value: "DIR",
            summary:
                "a directory with templates that replace the built-in texts: operators-reset.txt, and optionally the same"
                + " as HTML in operators-reset.html",
            commands: [.serve, .call, .verify, .helper, .account, .outbox]
        ) { options, text in
            options.mailTemplates = text
            return true
        },
        Flag(
            name: "notices",
            value: "on|off",
            summary: "whether accounts get mails about changed passwords, locks and deletions (on)",
            commands: [.serve, .call, .verify, .helper, .account]
        ) { options, text in
            options.sendsNotices = text == "on"
            return ["on", "off"].contains(text)
        },
    ]

    /// Whether a text has a host after `http://` or `https://`, and only characters that a URL may contain (RFC 3986
    /// §2). Mail programs end a link at any other character.
    private static func canStartLinks(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }),
            let first = text.dropFirst(scheme.count).first
        else { return false }
        return !"/?#:".contains(first)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }
    }
}
