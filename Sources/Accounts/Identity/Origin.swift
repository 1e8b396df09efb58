internal import Platform

/// Where a request comes from, as its host states it: the property `client` of a request.
package struct OriginFields: Sendable {
    /// The address of the host's client.
    package let ip: Given<String>
    /// The program of the host's client, such as a browser's `User-Agent`.
    package let agent: Given<String>

    package init(ip: Given<String>, agent: Given<String>) {
        self.ip = ip
        self.agent = agent
    }
}

/// The valid origin of a request.
package struct Origin: Sendable {
    /// The address in its normal form; nil if the host does not state it.
    let ip: String?
    /// The network of the address, for which failures are counted.
    let network: String?
    /// The program; nil if the host does not state it.
    let agent: String?

    /// The origin of a request whose host states none.
    package static let unknown = Origin(ip: nil, network: nil, agent: nil)

    private init(ip: String?, network: String?, agent: String?) {
        self.ip = ip
        self.network = network
        self.agent = agent
    }

    /// - Parameter invalid: returns the API's error for an invalid property, by its path and the expected JSON type.
    init(
        _ given: Given<OriginFields>,
        orThrow invalid: (_ field: String, _ expectedType: String?) -> AccountError
    ) throws {
        switch given {
        case .absent, .null: self = .unknown
        case .mistyped: throw invalid("client", given.expectedType)
        case .value(let fields):
            let address = fields.ip.isBlank ? nil : fields.ip.value.flatMap { InternetAddress($0.trimmedToken) }
            guard fields.ip.isBlank || address != nil else { throw invalid("client.ip", fields.ip.expectedType) }
            if let type = fields.agent.expectedType { throw invalid("client.agent", type) }
            self.init(ip: address?.text, network: address?.network, agent: Self.agent(fields.agent))
        }
    }

    /// The start of the agent, without control characters; nil if nothing is left.
    private static func agent(_ given: Given<String>) -> String? {
        guard let text = given.value else { return nil }
        let scalars = text.unicodeScalars.lazy.filter {
            ![.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }
        var start = String.UnicodeScalarView()
        start.append(contentsOf: scalars.prefix(Limits.agentCharactersMax))
        let agent = String(start)
        return agent.isBlank ? nil : agent
    }
}
