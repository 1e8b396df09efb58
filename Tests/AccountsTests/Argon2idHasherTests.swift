import Accounts
import Testing

/// The hashes of Argon2id that an import accepts: a password can be verified against them at a limited cost.
struct Argon2idHasherTests {
    private static let salted = "$WJC+EBYT2Cm8v/6vP4AALw$QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E"

    @Test(arguments: [
        "$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=8192,t=1,p=1", "$argon2id$v=19$m=262144,t=10,p=1",
    ])
    func acceptsAHashOfLimitedCost(head: String) {
        #expect(Argon2idHasher.canVerify(PasswordHash(text: head + Self.salted)))
    }

    @Test(arguments: [
        "", "$argon2id$", "$argon2id$v=19$m=19456,t=2", "$argon2d$v=19$m=19456,t=2,p=1",
        "$argon2id$v=16$m=19456,t=2,p=1",
        "$argon2id$m=19456,t=2,p=1", "$argon2id$v=19$t=2,m=19456,p=1", "$argon2id$v=19$m=19456,t=2,p=0",
        "$argon2id$v=19$m=19456,t=11,p=1", "$argon2id$v=19$m=262145,t=2,p=1", "$argon2id$v=19$m=,t=2,p=1",
        "$argon2id$v=19$m=+19456,t=2,p=1", "$argon2id$v=19$m=019456,t=2,p=1", "$argon2id$v=19$m=-1,t=2,p=1",
        "$argon2id$v=19$m=99999999999999999999,t=2,p=1", "$argon2id$v=19$m=19456,t=2,p=1,x=1",
        " $argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$12$abcdefghijklmnopqrstuu",
    ])
    func refusesAnyOtherHash(head: String) {
        #expect(!Argon2idHasher.canVerify(PasswordHash(text: head + Self.salted)))
        #expect(!Argon2idHasher.canVerify(PasswordHash(text: head)))
    }

    @Test(arguments: [
        "", "$", "$WJC+EBYT2Cm8v/6vP4AALw", "$WJC+EBYT2Cm8v/6vP4AALw$", "$c2FsdA$aGFzaA", "$WJC+EBYT2Cm8v/6vP4AALw$é",
        "\(salted)$", "\(salted)\u{0}", "\(salted)\n", "\(salted) ",
    ])
    func refusesAnInvalidSaltOrHash(tail: String) {
        #expect(!Argon2idHasher.canVerify(PasswordHash(text: "$argon2id$v=19$m=19456,t=2,p=1" + tail)))
    }
}
