extension ClientContract {
    /// An error of one API. Another API can use the same slug with another code and for another reason.
    struct ClientError {
        /// The API that describes it.
        let api: String
        let slug: String
        /// When it occurs.
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

    /// The slug of an error, which one or more APIs use.
    struct Slug {
        let text: String
        /// When it occurs: one text per API if several APIs use it.
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
    /// The strings without repetitions.
    var uniqued: [String] {
        var seen = Set<String>()
        return filter { seen.insert($0).inserted }
    }
}
