import PosternClient

/// Registers an operator, signs in, adds a client and lists what has changed.
///
///     swift run PosternClientExample [DIRECTORY]
@main
struct FiveSteps {
    static func main() async throws(PosternError) {
        let directory = CommandLine.arguments.dropFirst().first ?? newDirectory()

        // 1. Start Postern on a directory of its own.
        let postern = try Postern(data: directory, arguments: ["--no-email-confirmation"])

        // 2. Register an operator.
        let luke = OperatorsPersonInput(firstName: "Luke", lastName: "Sorenson", email: "lasoren@bu.edu")
        let registered = try await postern.operators.register(user: luke, password: "a long password")
        print("registered \(registered.user.firstName) \(registered.user.lastName)")

        // 3. Sign in: first with a wrong password, then rightly.
        do {
            _ = try await postern.operators.signin(email: luke.email, password: "a wrong one")
        } catch .call(let error) where error.slug == ErrorSlug.Operators.wrongPassword {
            print("\(ErrorSlug.Operators.wrongPassword.text): \(error.message)")
        }
        let session = try await postern.operators.signin(email: luke.email, password: "a long password")
        print("signed in as operator \(session.id)")

        // 4. Add a client.
        let created = try await postern.operators.client.create(
            userID: session.id,
            sessionID: session.sessionID,
            client: OperatorsClientInput(
                user: OperatorsPersonInput(firstName: "Mary", lastName: "Major", email: "mary@example.com"),
                address: "12 Grimmauld Place, London"
            )
        )
        print("created \(created.user.firstName) \(created.user.lastName)")

        // 5. List the clients that have changed since the beginning, and where to go on.
        let changed = try await postern.operators.clients.get(
            userID: session.id,
            sessionID: session.sessionID,
            provision: 0
        )
        let noun = changed.clients.count == 1 ? "client" : "clients"
        print("\(changed.clients.count) \(noun), next provision \(changed.provision)")
        await postern.close()
    }

    /// A directory that does not exist yet. Postern creates it for this user alone.
    private static func newDirectory() -> String {
        "/tmp/postern-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }
}
