-- Neovim runs Postern with its vim.lsp.rpc.

local CALL_MILLISECONDS_MAX = 20000
local CONCURRENT_CALLS = 1000
local PASSWORD = "a long password"
local TEXT = 'é 😀 \u{00a0} \u{200d} \\ " 漢字'

local count = 0

--- Runs a function and prints, under a name, whether it succeeded.
local function check(name, body)
  count = count + 1
  local held, problem = pcall(body)
  local words = held and "" or " # " .. tostring(problem):gsub("%s+", " "):sub(1, 300)
  io.stdout:write(string.format("%s %d - %s%s\n", held and "ok" or "not ok", count, name, words))
end

local function expect(actual, expected)
  if not vim.deep_equal(actual, expected) then
    error(vim.inspect(actual) .. " instead of " .. vim.inspect(expected))
  end
end

local function wait_for(condition)
  assert(vim.wait(CALL_MILLISECONDS_MAX, condition, 1), "timed out")
end

local ended, complaints = nil, {}

local client = vim.lsp.rpc.start(vim.env.POSTERN_BIN, { "--data", ":memory:", "--no-email-confirmation" }, {
  on_exit = function(code, signal)
    ended = { code, signal }
  end,
  on_error = function(code, problem)
    table.insert(complaints, { code, problem })
  end,
})

--- The reply to a request: an error or a result.
local function answer(method, params)
  local done, problem, result = false, nil, nil
  assert(client.request(method, params, function(...)
    done, problem, result = true, ...
  end))
  wait_for(function()
    return done
  end)
  return problem, result
end

local function call(method, params)
  local problem, result = answer(method, params)
  if problem then
    error(tostring(problem))
  end
  return result
end

local function person(email)
  return { first_name = "Zoë", last_name = "Sorenson", email = email }
end

local function register(email)
  local operator = call("operators.register", { user = person(email), password = PASSWORD })
  return { user_id = operator.id, session_id = operator.session_id }
end

local function with(session, more)
  return vim.tbl_extend("error", session, more)
end

local function new_client(session, email, address)
  return with(session, { client = { user = person(email), address = address } })
end

local function addresses(session)
  return vim.tbl_map(function(listed)
    return listed.address
  end, call("operators.clients.get", with(session, { provision = 0 })).clients)
end

local session

check("a call gets its result", function()
  session = register("luke@example.com")
  expect(#session.session_id, 128)
end)

check("an error of the service has its code, message and data", function()
  local problem = answer("operators.signin", { email = "luke@example.com", password = "a wrong password" })
  expect({ problem.code, problem.message }, { -9, "Password is incorrect for this account." })
  expect(problem.data, { errors = { "wrong_password" } })
end)

check("an unknown method is an error", function()
  expect(answer("operators.sing", {}).code, -32601)
end)

check("params of the wrong kind are an error", function()
  expect(answer("operators.signin", { "luke@example.com" }).code, -32602)
end)

check("a method without a result returns null", function()
  local leaving = register("leaving@example.com")
  local problem, result = answer("operators.signout", leaving)
  expect({ problem == nil, result == nil }, { true, true })
  expect(answer("operators.clients.get", with(leaving, { provision = 0 })).code, -2)
end)

check("a notification is executed and gets no reply", function()
  assert(client.notify("operators.client.create", new_client(session, "n@example.com", "by a notification")))
  assert(client.notify("no.such.method", {}))
  expect(addresses(session), { "by a notification" })
end)

check("non-ASCII text is returned unchanged", function()
  local created = call("operators.client.create", new_client(session, "text@example.com", TEXT))
  expect({ created.address, created.user.first_name }, { TEXT, "Zoë" })
  expect(addresses(session)[1], TEXT)
end)

check(CONCURRENT_CALLS .. " concurrent calls each get their own reply", function()
  local busy = register("busy@example.com")
  local finished, problems = {}, {}
  for number = 1, CONCURRENT_CALLS do
    local address = "address " .. number
    local signs_in = number % 10 == 1
    local method = signs_in and "operators.signin" or "operators.client.create"
    local params = signs_in and { email = "luke@example.com", password = PASSWORD }
      or new_client(busy, number .. "@example.com", address)
    assert(client.request(method, params, function(problem, result)
      table.insert(finished, number)
      local is_own = result and (signs_in and result.id == session.user_id or result.address == address)
      if not is_own then
        table.insert(problems, { number, problem, result })
      end
    end))
  end
  wait_for(function()
    return #finished == CONCURRENT_CALLS
  end)
  expect(problems, {})
  expect(#addresses(busy), CONCURRENT_CALLS * 9 / 10)
  local in_order = vim.deepcopy(finished)
  table.sort(in_order)
  assert(not vim.deep_equal(finished, in_order), "no reply overtook another")
end)

check("a cancelled call is answered nevertheless", function()
  local id, operator
  _, id = client.request("operators.signin", { email = "luke@example.com", password = PASSWORD }, function(_, result)
    operator = result
  end)
  assert(client.notify("$/cancelRequest", { id = id }))
  wait_for(function()
    return operator
  end)
  expect(operator.id, session.user_id)
end)

check("a request of 1 MiB is accepted", function()
  expect(call("system.info", { ignored = ("é"):rep(2 ^ 19) }).name, "postern")
end)

check("a reply of 1 MiB is read", function()
  local many, address, created = register("many@example.com"), ("漢"):rep(1000), 0
  for number = 1, 400 do
    client.request("operators.client.create", new_client(many, number .. "@example.com", address), function(_, result)
      created = created + (result and 1 or 0)
    end)
  end
  wait_for(function()
    return created == 400
  end)
  local listed = addresses(many)
  expect(#listed, 400)
  for _, other in ipairs(listed) do
    assert(other == address, "an address has changed")
  end
end)

check("no reply was rejected", function()
  expect(complaints, {})
end)

check("the program exits with 0 on SIGTERM", function()
  client.handle:kill("sigterm")
  wait_for(function()
    return ended
  end)
  expect(ended, { 0, 0 })
end)

io.stdout:write("1.." .. count .. "\n")
vim.cmd("qall!")
