internal import Synchronization

/// The order in which a process tries several hosts: the one that served last comes first, and after a try that failed,
/// the next one.
///
/// libpq tries them in the order of the address, one after the other. A first host that is gone, or whose processes are
/// stopped, takes seconds at each try. While a server fails over, these are seconds without service.
final class HostOrder: Sendable {
    /// The order of one try.
    struct Attempt {
        /// The position of the host that is tried first.
        fileprivate let first: Int
        /// The key words of the connection that state the order; none before the hosts are known, and for one host.
        let parameters: [(name: String, value: String)]
    }

    private struct State {
        /// The hosts in the order of the address; nil before a connection was tried, and for one host.
        var hosts: HostList?
        var first = 0
    }

    private let state = Mutex(State())

    /// The order for a try that begins now.
    var attempt: Attempt {
        state.withLock { state in
            Attempt(first: state.first, parameters: state.hosts?.parameters(startingWith: state.first) ?? [])
        }
    }

    /// A try has failed. Of several with the same order, only the first changes it.
    ///
    /// - Parameter hosts: those of the connection, in the order that was tried; nil for one host.
    func recordFailure(of attempt: Attempt, _ hosts: HostList?) {
        state.withLock { state in
            if state.hosts == nil { state.hosts = hosts }
            guard let count = state.hosts?.count, state.first == attempt.first else { return }
            state.first = (state.first + 1) % count
        }
    }

    /// A host serves.
    ///
    /// - Parameter hosts: those of the connection, in the order that was tried; nil for one host.
    func recordSuccess(of host: String, port: String, _ hosts: HostList?) {
        state.withLock { state in
            if state.hosts == nil { state.hosts = hosts }
            state.first = state.hosts?.position(of: host, port: port) ?? state.first
        }
    }
}

/// The hosts of a connection to PostgreSQL: lists of libpq, whose elements at one position belong to one host.
struct HostList: Equatable, Sendable {
    /// The values of `host`, `hostaddr` and `port`. A list may be empty, and one port counts for all hosts.
    let names: [String]
    let addresses: [String]
    let ports: [String]

    /// - Returns: nil for fewer than two hosts.
    init?(names: String, addresses: String, ports: String) {
        (self.names, self.addresses, self.ports) = (Self.list(names), Self.list(addresses), Self.list(ports))
        guard count > 1 else { return nil }
    }

    /// How many hosts there are.
    var count: Int { max(names.count, addresses.count) }

    /// The key words with their values, from the host at a position on.
    func parameters(startingWith first: Int) -> [(name: String, value: String)] {
        [("host", names), ("hostaddr", addresses), ("port", ports)].compactMap { name, list in
            guard list.count == count else { return nil }
            return (name, (list[first...] + list[..<first]).joined(separator: ","))
        }
    }

    /// The position of the first host with a name, or with an address in place of a name, and a port.
    func position(of host: String, port: String) -> Int? {
        (0..<count).first { position in
            let isHost = [names, addresses].contains { position < $0.count && $0[position] == host }
            // An empty port is the default one.
            return isHost && (ports.count < count || [port, ""].contains(ports[position]))
        }
    }

    private static func list(_ text: String) -> [String] {
        text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    }
}
