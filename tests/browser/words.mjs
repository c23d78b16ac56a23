// What a person reads on the screens of the journey, in both languages: the names by which roles
// are found. Kept here on purpose, not read from the app: a label that changes is seen.

const WORDS = {
  register: ['Register', '注册'],
  phone: ['Phone', '手机'],
  email: ['E-mail', '邮箱'],
  password: ['Password', '密码'],
  sendCodes: ['Send the codes', '发送验证码'],
  phoneCode: ['Code from the SMS', '短信验证码'],
  emailCode: ['Code from the e-mail', '邮件验证码'],
  outbox: ['Outbox', '发件箱'],
  confirm: ['Confirm', '确认'],
  guide: ['First steps', '新手指引'],
  me: ['Me', '我的'],
  logOut: ['Log out', '退出登录'],
  welcome: ['Data that does not run out. Charges you agreed to.', '流量不断，每一笔扣款都经您同意。'],
  signIn: ['Sign in', '登录'],
  contact: ['Phone or e-mail', '手机或邮箱'],
  home: ['Home', '首页'],
  dataLeft: ['Data left', '剩余流量'],
  payment: ['Payment', '付款'],
  addMethod: ['Add a payment method', '添加付款方式'],
  passwordAgain: ['Your password', '登录密码'],
  goOn: ['Continue', '继续'],
  rule: ['Auto-recharge', '自动充值'],
  lowBalance: ['When little is left', '余量不多时'],
  threshold: ['When this much or less is left', '剩余不超过'],
  fixedData: ['An amount of data', '固定流量'],
  target: ['Fill up to a level', '补足到某个量'],
  amount: ['Amount', '数量'],
  cap: ['At most per calendar month', '每个自然月最多'],
  atMost: ['At most EUR 90.00 a month', '每月最多 EUR 90.00'],
  scheduled: ['On fixed days', '固定日期'],
  worst: ['The most it can take', '最多会扣'],
  dates: ['Next dates', '接下来的日期'],
  review: ['Review and turn on', '核对并开启'],
  turnOn: ['Agree and turn on', '同意并开启'],
  turnOff: ['Turn off', '关闭'],
  turnedOff: ['Off. Nothing is charged any more.', '已关闭，不再扣款。'],
  noData: ['No data left', '没有剩余流量'],
  sandbox: ['SANDBOX', '沙盒'],
  useData: ['Use data', '使用流量'],
  use: ['Use', '使用'],
  history: ['History', '记录'],
  recharges: ['Recharges', '充值'],
  credited: ['Credited', '到账'],
  why: ['Why was this charged?', '为什么扣这笔款？'],
  same: ['Recomputed here: same result.', '已在本机重新核算：结果一致。'],
  provider: {
    number: ['Card number', '卡号'],
    expiry: ['Valid until', '有效期'],
    cvc: ['Security code', '安全码'],
    save: ['Save card', '保存银行卡'],
  },
};

export function wordsIn(language) {
  const column = language === 'en' ? 0 : 1;
  const one = (entry) =>
    Array.isArray(entry)
      ? entry[column]
      : Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, one(value)]));
  return one(WORDS);
}
