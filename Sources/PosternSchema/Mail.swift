import JSON

/// A kind of mail that an API sends.
struct Mail {
    /// The name of the mail and of its template's file: `care-invitation`.
    let kind: String
    let description: String
    /// The path of its link, up to the code; nil for a mail without a link.
    let link: String?

    init(_ value: JSONValue, api: String) throws {
        try value.allowOnly(["kind", "description", "link"])
        kind = "\(api)-\(try value.text("kind"))"
        description = try value.text("description")
        link = value["link"]?.string
    }

    /// `careInvitation`
    var swiftName: String { kind.replacing("-", with: "_").lowerCamel }

    /// The name of the constant in which SwiftPM embeds the template: `care_invitation_txt`.
    var resourceName: String { kind.replacing("-", with: "_") + "_txt" }
}
