extension ClientContract {
    /// An error as one API gives it. Other APIs may give the same slug under another code, for another reason.
    struct ClientError {
        /// The API that describes it.
        let api: String
        let slug: String
        /// When it comes.
        let description: String

        /// `EmailRequired`, in the namespace of its API.
        var name: String { slug.upperCamel }
    }

    /// The errors of one API.
    struct ErrorGroup {
        let api: String
        let title: String
        let errors: [ClientError]
    }

    /// A word for what is wrong, which one API or several use.
    struct Slug {
        let text: String
        /// When it comes: for each API, where several use it.
        let description: String
    }

    /// The slugs of all APIs, each once.
    var slugs: [Slug] {
        let errors = errorGroups.flatMap(\.errors)
        return errors.map(\.slug).uniqued.map { slug in
            let same = errors.filter { $0.slug == slug }
            let texts = same.map { same.count == 1 ? $0.description : "\($0.api): \($0.description)" }
            return Slug(text: slug, description: texts.joined(separator: " "))
        }
    }

    static func errorGroups(of contract: Contract) -> [ErrorGroup] {
        contract.apis.map { api in
            let errors = api.errors.map { ClientError(api: api.name, slug: $0.slug, description: $0.when) }
            return ErrorGroup(api: api.name, title: api.title, errors: errors)
        }
    }
}

extension [String] {
    /// The strings without those that have been there before.
    var uniqued: [String] {
        var seen = Set<String>()
        return filter { seen.insert($0).inserted }
    }
}
