import JSON

/// A kind of mail that an API sends.
struct Mail {
    /// The name of the mail: `care-invitation`. A file of that name in a directory of templates replaces its template.
    let kind: String
    let description: String
    /// The path of its link, up to the code; nil for a mail without a link.
    let link: String?
    /// Whether it is a notice: its text has no code and no link.
    let isNotice: Bool
    /// The name of its template's file, without `.txt`.
    let template: String

    init(_ value: JSONValue, api: String) throws {
        try value.allowOnly(["kind", "description", "link", "notice", "template"])
        kind = "\(api)-\(try value.text("kind"))"
        description = try value.text("description")
        link = value["link"]?.string
        isNotice = value["notice"]?.bool ?? false
        template = value["template"]?.string ?? kind
        if isNotice, link != nil { throw SchemaError("the mail \(kind) is a notice, which has no link") }
    }

    /// `careInvitation`
    var swiftName: String { kind.replacing("-", with: "_").lowerCamel }

    /// The name of the constant in which SwiftPM embeds the template: `care_invitation_txt`.
    var resourceName: String { template.replacing("-", with: "_") + "_txt" }
}
