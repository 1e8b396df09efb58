import JSON

/// A kind of mail that an API sends.
struct Mail {
    /// `care-invitation`, which the file of its template is named after.
    let kind: String
    let description: String
    /// Where its link leads, up to the code; nil for a mail without a link.
    let link: String?

    init(_ value: JSONValue, api: String) throws {
        try value.allowOnly(["kind", "description", "link"])
        kind = "\(api)-\(try value.text("kind"))"
        description = try value.text("description")
        link = value["link"]?.string
    }

    /// `careInvitation`
    var swiftName: String { kind.replacing("-", with: "_").lowerCamel }

    /// The name of the bytes of its template, as SwiftPM embeds them: `care_invitation_txt`.
    var resourceName: String { kind.replacing("-", with: "_") + "_txt" }
}
