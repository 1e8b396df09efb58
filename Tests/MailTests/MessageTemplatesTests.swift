import Accounts
import Foundation
import struct Platform.SystemString
import Testing

@testable import Mail

struct MessageTemplatesTests {
    @Test(arguments: [
        (MailKind.operatorsConfirmation, "https://x.co/operators/confirm?code=1-ab"),
        (.operatorsReset, "https://x.co/operators/reset?code=1-ab"),
        (.careInvitation, "https://x.co/care/claim?code=1-ab"),
        (.careConfirmation, "https://x.co/care/confirm?code=1-ab"),
        (.salesVerification, "https://x.co/verification?token=1-ab"),
        (.salesReset, "https://x.co/reset?token=1-ab"),
        (.operatorsEmailChange, "https://x.co/operators/change-email?code=1-ab"),
        (.operatorsEmailChanged, "https://x.co/operators/revert-email?code=1-ab"),
        (.careEmailChange, "https://x.co/care/change-email?code=1-ab"),
        (.careEmailChanged, "https://x.co/care/revert-email?code=1-ab"),
        (.salesEmailChange, "https://x.co/sales/change-email?code=1-ab"),
        (.salesEmailChanged, "https://x.co/sales/revert-email?code=1-ab"),
    ])
    func containsTheCodeAloneAndInALink(kind: MailKind, link: String) throws {
        let words = try MessageTemplates(publicURL: "https://x.co", domain: "x.co").compose(
            kind,
            secret: "1-ab",
            locale: nil
        )
        let lines = words.text.split(separator: "\n")
        #expect(lines.contains("1-ab"))
        #expect(lines.contains { $0 == link } && words.link == link)
        #expect(!words.subject.isEmpty && !words.subject.contains("1-ab"))
    }

    /// A built-in template with an error would end the process at the first mail.
    @Test(arguments: MailKind.allCases)
    func everyBuiltInTemplateIsValid(kind: MailKind) throws {
        _ = try MessageTemplate(kind.embeddedBytes, for: kind, name: kind.rawValue)
    }

    /// A link in a notice would teach its readers to follow links in mails that ask for a password.
    @Test(arguments: MailKind.allCases.filter(\.isNotice))
    func noNoticeHasALink(kind: MailKind) throws {
        let words = try MessageTemplates(publicURL: "https://x.co", domain: "x.co").compose(
            kind,
            secret: "",
            locale: nil
        )
        #expect(!words.subject.isEmpty && !words.text.isEmpty)
        #expect(!words.text.contains("://") && !words.text.contains("x.co") && !words.text.contains("{{"))
    }

    @Test func putsNoTemporaryPasswordIntoALink() throws {
        let templates = try MessageTemplates(publicURL: "https://x.co", domain: "x.co")
        let words = templates.compose(.careTemporaryPassword, secret: "secret", locale: nil)
        #expect(words.text.split(separator: "\n").contains("secret"))
        #expect(!words.text.contains("https://") && words.link == nil)
    }

    /// The lifetimes in the texts were once not compared with the limits.
    @Test(arguments: [
        (MailKind.operatorsConfirmation, Limits.confirmationCodeSeconds),
        (.operatorsReset, Limits.resetCodeSeconds), (.careConfirmation, Limits.confirmationCodeSeconds),
        (.careTemporaryPassword, Limits.temporaryPasswordSeconds),
        (.careTemporaryPasswordUnproven, Limits.temporaryPasswordSeconds), (.careInvitation, Limits.claimCodeSeconds),
        (.salesVerification, Limits.confirmationCodeSeconds), (.salesReset, Limits.resetCodeSeconds),
        (.salesEmailChange, Limits.confirmationCodeSeconds), (.salesEmailChanged, Limits.emailReversalSeconds),
    ])
    func statesTheLifetimeOfTheCode(kind: MailKind, seconds: Int) throws {
        let text = try MessageTemplates(publicURL: "https://x.co", domain: "x.co").compose(
            kind,
            secret: "1-ab",
            locale: nil
        ).text
        let units = ["hour": 3_600, "day": 86_400, "week": 604_800]
        let spans = text.matches(of: /\b(an?|[0-9]+) (hour|day|week)s?\b/).map { match in
            (Int(match.1) ?? 1) * (units[String(match.2)] ?? 0)
        }
        #expect(spans == [seconds])
    }

    @Test func prefersTemplatesFromADirectory() throws {
        let folder = try Folder(["operators-reset.txt": "Subject: Eigene Worte\r\n\r\n{{code}}: {{link}}\r\n"])
        let templates = try MessageTemplates(
            publicURL: "https://x.co",
            domain: "x.co",
            folder: SystemString(folder.path)
        )
        #expect(
            templates.compose(.operatorsReset, secret: "1-ab", locale: nil)
                == MailText(
                    subject: "Eigene Worte",
                    text: "1-ab: https://x.co/operators/reset?code=1-ab\n",
                    link: "https://x.co/operators/reset?code=1-ab"
                )
        )
        #expect(templates.compose(.salesReset, secret: "1-ab", locale: nil).subject == "Reset your password")
    }

    /// Each locale has templates of its own; the other kinds, and other locales, have the default.
    @Test func prefersTemplatesOfTheLocale() throws {
        let folder = try Folder(["operators-reset.txt": "Subject: Default\n\n{{code}}"])
        try folder.add("operators-reset.txt", "Subject: Deutsch\n\n{{code}}", in: "de-AT")
        try folder.add("config", "", in: ".git")
        let templates = try MessageTemplates(
            publicURL: "https://x.co",
            domain: "x.co",
            folder: SystemString(folder.path)
        )
        func subject(_ kind: MailKind, _ locale: String?) -> String {
            templates.compose(kind, secret: "1-ab", locale: locale).subject
        }
        #expect(subject(.operatorsReset, "de-AT") == "Deutsch")
        #expect(subject(.operatorsReset, "DE-at") == "Deutsch")
        #expect(subject(.operatorsReset, "de") == "Default")
        #expect(subject(.operatorsReset, nil) == "Default")
        #expect(subject(.salesReset, "de-AT") == "Reset your password")
    }

    // MARK: HTML parts

    @Test func addsTheHTMLPartBesideTheText() throws {
        let folder = try Folder([
            "operators-reset.txt": "Subject: Reset\n\n{{code}}\n",
            "operators-reset.html": "<a href=\"{{link}}\">{{code}}</a>\r\n",
            "care-email-taken.txt": "Subject: Taken\n\nTaken.\n", "care-email-taken.html": "<p>Taken.</p>\n",
        ])
        try folder.add("operators-reset.txt", "Subject: Deutsch\n\n{{code}}", in: "de")
        try folder.add("operators-reset.txt", "Subject: Français\n\n{{code}}", in: "fr")
        try folder.add("operators-reset.html", "<html lang=fr>{{code}}", in: "fr")
        let templates = try MessageTemplates(
            publicURL: "https://x.co",
            domain: "x.co",
            folder: SystemString(folder.path)
        )
        func html(_ kind: MailKind, _ locale: String?) -> String? {
            templates.compose(kind, secret: "1-ab", locale: locale).html
        }
        let link = "https://x.co/operators/reset?code=1-ab"
        #expect(html(.operatorsReset, nil) == "<a href=\"\(link)\">1-ab</a>\n")
        #expect(html(.careEmailTaken, nil) == "<p>Taken.</p>\n")
        #expect(html(.operatorsReset, "fr") == "<html lang=fr>1-ab")
        // A German text must not have an English HTML part.
        #expect(html(.operatorsReset, "de") == nil)
        #expect(html(.salesReset, nil) == nil)
        #expect(templates.compose(.operatorsReset, secret: "1-ab", locale: "pt-BR").locale == "pt-BR")
    }

    /// The public URL may contain `&` and `'`.
    @Test func escapesTheLinkInHTML() throws {
        let folder = try Folder([
            "operators-reset.txt": "Subject: x\n\n{{link}}",
            "operators-reset.html": "<a href='{{link}}'>{{link}}</a> {{code}}",
        ])
        let words = try MessageTemplates(
            publicURL: "https://x.co/?a=1&b='onclick='alert(1)'&p=",
            domain: "x.co",
            folder: SystemString(folder.path)
        ).compose(.operatorsReset, secret: "1-<b>\"&amp;", locale: nil)
        let link = "https://x.co/?a=1&amp;b=&#39;onclick=&#39;alert(1)&#39;&amp;p=/operators/reset?code="
        let code = "1-&lt;b&gt;&quot;&amp;amp;"
        #expect(words.html == "<a href='\(link)\(code)'>\(link)\(code)</a> \(code)")
        // The text is not escaped.
        #expect(words.text == words.link && words.text.hasSuffix("alert(1)'&p=/operators/reset?code=1-<b>\"&amp;"))
    }

    @Test(arguments: [
        (nil, "<p>{{code}}", "operators-reset.html has no operators-reset.txt beside it"),
        ("Subject: x\n\n{{code}}", "<p>\n{{ code }}", "operators-reset.html:2: unknown placeholder {{ code }}"),
        ("Subject: x\n\n{{code}}", "<p>Hello", "operators-reset.html has neither {{code}} nor {{link}}"),
        ("Subject: x\n\n{{code}}", "", "operators-reset.html has neither {{code}} nor {{link}}"),
        ("Subject: x\n\n{{code}}", "Subject: x\n\n<p>{{code}}", "operators-reset.html:1: the subject is in the .txt"),
        (
            "Subject: x\n\n{{code}}", "{{code}}" + String(repeating: "x", count: Limits.templateBytesMax),
            "operators-reset.html is longer than 32768 bytes"
        ),
        ("no subject", "<p>{{code}}", "operators-reset.txt does not begin with a line"),
    ])
    func reportsWhatIsWrongWithAnHTMLPart(text: String?, html: String, problem: String) throws {
        for locale in [nil, "de"] {
            let folder = try Folder([:])
            for (name, text) in [("operators-reset.txt", text), ("operators-reset.html", html)] {
                if let text { try folder.add(name, text, in: locale ?? ".") }
            }
            let error = try #require(throws: TemplateError.self) {
                try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
            }
            #expect(error.description.contains((locale ?? "") + "/" + problem), "\(error)")
        }
    }

    @Test func refusesMisnamedAndForbiddenHTMLParts() throws {
        for (name, html, problem) in [
            (
                "operator-reset.html", "{{code}}",
                "is not the name of a template; the names are operators-confirmation.html,"
            ),
            ("care-email-taken.html", "<a href={{link}}>", "in a notice, which has no placeholders"),
        ] {
            let folder = try Folder([name: html, "care-email-taken.txt": "Subject: x\n\nx"])
            let error = try #require(throws: TemplateError.self) {
                try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
            }
            #expect(error.description.contains(name) && error.description.contains(problem))
        }
    }

    // MARK: Mistakes

    @Test(arguments: [
        ("de", "operators-reset.txt", "Subject: x\n\n{{kode}}", "/de/operators-reset.txt:3: unknown placeholder"),
        ("de", "operator-reset.txt", "Subject: x\n\n{{code}}", "/de/operator-reset.txt is not the name of a template"),
        ("d", "operators-reset.txt", "Subject: x\n\n{{code}}", "/d is not the name of a locale"),
        ("de_AT", "operators-reset.txt", "Subject: x\n\n{{code}}", "/de_AT is not the name of a locale"),
    ])
    func reportsWhatIsWrongWithALocale(locale: String, name: String, text: String, problem: String) throws {
        let folder = try Folder([:])
        try folder.add(name, text, in: locale)
        let error = try #require(throws: TemplateError.self) {
            try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
        }
        #expect(error.description.contains(problem))
    }

    @Test func refusesTwoDirectoriesForALocale() throws {
        let folder = try Folder([:])
        for name in ["de", "DE"] { try folder.add("operators-reset.txt", "Subject: x\n\n{{code}}", in: name) }
        #expect(throws: TemplateError.self) {
            try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
        }
    }

    @Test(arguments: [
        ("operators-reset.txt", "no subject\n\n{{code}}", "does not begin with a line"),
        ("operators-reset.txt", "Subject: {{code}}\n\n{{code}}", "does not begin with a line"),
        ("operators-reset.txt", "Subject: x\n{{code}}", "does not begin with a line"),
        ("operators-reset.txt", "Subject: x\n\nno code", "has neither {{code}} nor {{link}}"),
        (
            "operators-reset.txt", "Subject: x\n\nx\n{{code}} {{nmae}}",
            ".txt:4: unknown placeholder {{nmae}}; the placeholders are {{code}}"
        ),
        ("operators-reset.txt", "Subject: x\n\n{{code}} {{ link }}", ".txt:3: unknown placeholder {{ link }}"),
        ("operators-reset.txt", "Subject: x\n\n{{link}}\n{{code", ".txt:4: {{ has no }} after it"),
        (
            "care-email-taken.txt", "Subject: x\n\nx\n{{link}}",
            ".txt:4: {{link}} in a notice, which has no placeholders"
        ),
        ("operator-reset.txt", "Subject: x\n\n{{code}}", "is not the name of a template"),
    ])
    func reportsWhatIsWrongWithATemplate(name: String, text: String, problem: String) throws {
        let folder = try Folder([name: text])
        let error = try #require(throws: TemplateError.self) {
            try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
        }
        #expect(error.description.contains(problem) && error.description.contains(name))
    }

    @Test func limitsTheLengthOfATemplate() throws {
        let text = "Subject: x\n\n{{code}}" + String(repeating: "x", count: Limits.templateBytesMax)
        let folder = try Folder(["operators-reset.txt": text])
        #expect(throws: TemplateError("\(folder.path)/operators-reset.txt is longer than 32768 bytes")) {
            try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
        }
    }

    /// A FIFO without a writer once kept the program from starting.
    @Test func refusesATemplateThatIsNotAFile() throws {
        let folder = try Folder([:])
        let pipe = "\(folder.path)/operators-reset.txt"
        try #require(mkfifo(pipe, 0o600) == 0)
        #expect(throws: TemplateError("\(pipe) is not a regular file")) {
            try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: SystemString(folder.path))
        }
    }

    @Test func refusesAMissingDirectory() {
        #expect(throws: TemplateError("open /nonexistent: No such file or directory")) {
            try MessageTemplates(publicURL: "https://x.co", domain: "x.co", folder: "/nonexistent")
        }
    }
}

/// A directory with files, which is removed with this object.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("postern-\(UUID().uuidString)").path

    init(_ files: [String: String]) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files {
            try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        }
    }

    /// Adds a file in a subdirectory.
    func add(_ name: String, _ text: String, in folder: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        try text.write(toFile: "\(path)/\(folder)/\(name)", atomically: false, encoding: .utf8)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
