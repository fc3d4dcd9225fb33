import Testing
import Trust
import XMPP

@Suite struct AccessTests {
  private let annaStands = Standing.friend(name("anna"))
  private let bobStands = Standing.friend(name("bob"))

  private func policy(
    _ access: AccessPolicy.Access, methods: [String]? = nil, paths: [String]? = nil, plaintext: Bool = false
  ) -> AccessPolicy {
    do {
      return try AccessPolicy(access: access, methods: methods, paths: paths, plaintext: plaintext)
    } catch { preconditionFailure(error.message) }
  }

  private func refusal(_ policy: AccessPolicy, _ caller: Standing, _ method: String = "GET", _ target: String = "/")
    -> Refusal?
  {
    switch policy.decide(caller, method: method, target: target) {
    case .allow: nil
    case .refuse(let refusal): refusal
    }
  }

  @Test func whoGetsInWhere() {
    let changed = Standing.changed(expected: anna, seen: bob)
    let mismatch = Standing.mismatch(announced: "x", seen: bob)
    let callers: [Standing] = [.self, annaStands, bobStands, .stranger, .plaintext, changed, mismatch, .blocked]
    let never: [Refusal?] = [
      .changed(expected: anna, seen: bob), .mismatch(announced: "x", seen: bob), .blocked,
    ]
    let table: [(AccessPolicy, [Refusal?])] = [
      (policy(.friends), [nil, nil, nil, .stranger, .plaintext] + never),
      (policy(.names([name("Anna")])), [nil, nil, .notNamed(name("bob")), .stranger, .plaintext] + never),
      (policy(.names([])), [nil, .notNamed(name("anna")), .notNamed(name("bob")), .stranger, .plaintext] + never),
      (policy(.public), [nil, nil, nil, nil, .plaintext] + never),
      (policy(.public, plaintext: true), [nil, nil, nil, nil, nil] + never),
    ]
    for (policy, expected) in table {
      #expect(callers.map { refusal(policy, $0) } == expected, "\(policy)")
    }
  }

  @Test func accountsAreNoFriends() throws {
    let anna = JID("anna@example.net")!
    let (friends, accounts) = try AccessPolicy.audience(["friends", "contacts", "jid:Anna@example.net"])
    #expect(friends == .friends && accounts == AccountAccess(accounts: [anna], contacts: true))
    #expect(accounts.words == ["contacts", "jid:Anna@example.net"])
    let named = try AccessPolicy(access: .friends, accounts: AccountAccess(accounts: [anna]))
    let table: [(AccessPolicy, contact: Bool, other: Bool)] = [
      (policy(.friends), false, false), (policy(.public), false, false),
      (policy(.public, plaintext: true), false, false),
      (named, true, true),
      (try AccessPolicy(access: .names([]), accounts: AccountAccess(contacts: true)), true, false),
      (try AccessPolicy(access: .public, accounts: AccountAccess(anyone: true)), true, true),
    ]
    for (policy, contact, other) in table {
      #expect((refusal(policy, .account(anna, isContact: true)) == nil) == contact, "\(policy)")
      #expect((refusal(policy, .account(anna, isContact: false)) == nil) == other, "\(policy)")
    }
    #expect(refusal(named, .account(JID("eve@example.net")!, isContact: true)) == .account)
    // What lets an account in lets in no node of that name.
    #expect(refusal(named, .stranger) == .stranger && refusal(named, .plaintext) == .plaintext)
  }

  @Test func methodsAreLimited() {
    let reading = policy(.friends, methods: ["GET"])
    #expect(refusal(reading, annaStands) == nil)
    #expect(refusal(reading, annaStands, "HEAD") == nil)
    for method in ["POST", "get", "OPTIONS", "CONNECT", "", "GET ", "PATCH"] {
      #expect(refusal(reading, annaStands, method) == .method(method))
    }
    #expect(refusal(policy(.friends, methods: ["POST"]), annaStands, "HEAD") == .method("HEAD"))
    #expect(refusal(reading, .stranger, "POST") == .stranger, "who may not come in learns nothing else")
    #expect(refusal(reading, .self, "POST") == nil)
  }

  @Test(arguments: [
    "/photos", "/photos/", "/photos/2024", "/photos?x=/../..", "/photos/a%20b", "/%70hotos/x", "/photos/a;v=1",
    "/photos/...a",
  ])
  func whatIsOpen(target: String) {
    #expect(refusal(policy(.friends, paths: ["/photos"]), annaStands, "GET", target) == nil)
  }

  @Test(arguments: ["/", "/photos2", "/photo", "/Photos", "/private", "/photos;x/y", "/?/photos"])
  func whatIsNot(target: String) {
    #expect(refusal(policy(.friends, paths: ["/photos", "/api/state/"]), annaStands, "GET", target) == .path)
  }

  @Test(arguments: [
    "/photos/../private", "/photos/..", "/photos/./x", "/photos/%2e%2e/private", "/photos/%2E./private",
    "/photos/.%2e/private", "/photos/..;/private", "/photos/%2e%2e%3bx/private", "/photos/;/private",
    "/photos/..%20/private", "/photos//private", "//photos", "//evil/photos", "/photos/..%2fprivate", "/photos/x%2Fy",
    "/photos/..%5cprivate", "/photos/..\\private", "/photos/%252e%252e/private", "/photos/%25", "/photos/%",
    "/photos/%2",
    "/photos/%zz", "/photos/%00", "/photos/a%0d%0ab", "/photos/%c0%ae%c0%ae/private", "/photos/%ff", "/photos/#/..",
    "/photos/a b", "/photos/\t", "/photos/a%7f", "photos", "", "*", "http://pi/photos", "\\photos", "/photos/.../x",
  ])
  func whatIsUnclear(target: String) {
    #expect(refusal(policy(.friends, paths: ["/photos"]), annaStands, "GET", target) == .unclearPath)
  }

  @Test func prefixesAreWholeSegments() {
    let below = policy(.friends, paths: ["/photos/"])
    #expect(refusal(below, annaStands, "GET", "/photos") == .path)
    #expect(refusal(below, annaStands, "GET", "/photos/") == nil)
    #expect(refusal(below, annaStands, "GET", "/photos/x/y/") == nil)
    let all = policy(.friends, paths: ["/"])
    #expect(refusal(all, annaStands, "GET", "/") == nil)
    #expect(refusal(all, annaStands, "GET", "/a/b") == nil)
    #expect(refusal(all, annaStands, "GET", "/a/../b") == .unclearPath)
    let encoded = policy(.friends, paths: ["/a%20b"])
    #expect(refusal(encoded, annaStands, "GET", "/a%20b/c") == nil)
    #expect(refusal(policy(.friends), annaStands, "GET", "/a/../b") == nil, "without paths none is judged")
  }

  @Test func rulesThatMakeNoSenseAreRefused() {
    #expect(code { _ = try AccessPolicy(access: .friends, plaintext: true) } == .policy)
    #expect(code { _ = try AccessPolicy(access: .names([]), plaintext: true) } == .policy)
    #expect(code { _ = try AccessPolicy(access: .public, methods: []) } == .policy)
    #expect(code { _ = try AccessPolicy(access: .public, paths: []) } == .policy)
    for method in ["get", "", "GET,POST", "G T"] {
      #expect(code { _ = try AccessPolicy(access: .public, methods: [method]) } == .policy)
    }
    for path in ["", "photos", "/a/../b", "//a", "/a?b", "/a//b", "/%2e%2e", "/a#b", "/*a%"] {
      #expect(code { _ = try AccessPolicy(access: .public, paths: [path]) } == .policy, "\(path)")
    }
  }

  @Test func refusalsSayWhatToDoAndKeepSecrets() {
    let all: [Refusal] = [
      .stranger, .notNamed(name("bob")), .plaintext, .account, .method("POST"), .path, .unclearPath, .blocked,
      .changed(expected: anna, seen: bob), .mismatch(announced: anna.description, seen: bob),
    ]
    #expect(Set(all.map(\.name)).count == all.count)
    for refusal in all {
      #expect(!refusal.text.contains(anna.description) && !refusal.text.contains("bob"), "\(refusal.name)")
      #expect(refusal.stanzaError.text == refusal.text)
    }
    #expect(all.filter(\.offersFriendship) == [.stranger])
    #expect(
      all.filter { $0.stanzaError.condition == .notAllowed }.map(\.name) == [
        "not-named", "method", "path", "unclear-path",
      ])
    #expect(all.allSatisfy { [.forbidden, .notAllowed].contains($0.stanzaError.condition) })
  }
}
