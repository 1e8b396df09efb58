/// A request of a program that keeps this one running.
package struct HelperRequest: Sendable {
    package let question: Question
    /// What the reply must name, if the program sends several requests before it reads a reply.
    let channel: String?

    init(_ question: Question, channel: String? = nil) {
        (self.question, self.channel) = (question, channel)
    }
}

/// A program that keeps this one running, and sends it a request for each attempt to sign in.
package protocol HelperProgram {
    /// The next request of those that were read; nil if none is whole. It removes the request from the buffer.
    mutating func next(in buffer: RequestBuffer) -> HelperRequest?

    /// The reply to a request.
    func reply(_ verdict: Verdict, to request: HelperRequest) -> [UInt8]
}

/// The conventions of programs that keep this one running: the values of `postern helper --as`.
package enum HelperConvention: String, CaseIterable, Sendable {
    case ejabberd, squid

    /// - Parameter hasChannels: whether each request of Squid begins with a channel.
    package func program(hasChannels: Bool) -> any HelperProgram {
        switch self {
        case .ejabberd: Ejabberd()
        case .squid: Squid(hasChannels: hasChannels)
        }
    }
}
