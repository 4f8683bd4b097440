"""Words of twenty languages and the encodings in which they are written.

`python -m tests.formats.languages` prints how many undeclared files of each size are read right,
rejected and read wrong, for docs/reading-files.md.
"""

from __future__ import annotations

import random

from bulkwright.domain.errors import FileNotSupported
from bulkwright.formats.csv import BAD_BYTE, ENCODINGS, sniff
from bulkwright.formats.csv.charset import to_utf8
from bulkwright.formats.stream import ByteStream

WORDS = {
    "cs": "Dvořák Novák Procházka Kučera Němec Růžička Pospíšil Šimůnek Říha Žák Čermák Plzeň Ústí "
    "Jičín Žďár Třebíč Náchod Květinová příjmení město Zákazník objednávka děkujeme",
    "pl": "Wiśniewski Wójcik Kamiński Zieliński Woźniak Dąbrowski Kozłowski Łódź Kraków Gdańsk "
    "Poznań Częstochowa Białystok Rzeszów Świętokrzyska Żelazna Długa zamówienie Małgorzata",
    "hu": "Kovács Tóth Szabó Németh Győr Pécs Székesfehérvár Szőlős Őrség Kőbánya Fő köszönjük "
    "megrendelés ügyfél Gábor István Zoltán József",
    "tr": "Yılmaz Öztürk Şahin Yıldız Aydın Çelik Doğan Kılıç İstanbul İzmir Eskişehir Şanlıurfa "
    "Muğla Ağrı müşteri sipariş ödendi Gökçe Ayşe Hüseyin Oğuz Çiğdem",
    "lt": "Jankauskienė Stankevičius Žukauskas Šimkus Šiauliai Panevėžys Klaipėda Mažeikiai gatvė "
    "užsakymas apmokėta ačiū Živilė Jūratė Rūta Eglė Kęstutis Ąžuolas",
    "lv": "Bērziņš Kalniņš Ozoliņš Liepiņš Krūmiņš Rīga Jēkabpils Liepāja Jūrmala Rēzekne "
    "pasūtījums samaksāts Jānis Kārlis Līga Ēriks Ģirts Ķekava",
    "he": "כהן לוי מזרחי פרץ ביטון דהן אברהם פרידמן ירושלים חיפה אשדוד נתניה רחוב לקוח הזמנה תודה",
    "th": "สมชาย สมหญิง วิชัย กรุงเทพ เชียงใหม่ ภูเก็ต ขอนแก่น ถนน ลูกค้า คำสั่งซื้อ ชำระแล้ว ขอบคุณ",
    "ru": "Иванов Петров Сидоров Кузнецов Смирнов Москва Казань улица Ленина клиент заказ оплачено",
    "el": "Παπαδόπουλος Γεωργίου Δημητρίου Αθήνα Θεσσαλονίκη Πάτρα Ηράκλειο οδός πελάτης Γιώργος",
    "ar": "محمد أحمد علي فاطمة القاهرة الرياض دبي شارع عميل طلب مدفوع شكرا عبدالله خالد مريم",
    "ja": "田中 鈴木 佐藤 高橋 渡辺 東京都 大阪市 株式会社 顧客 注文 支払済 ありがとう カタカナ",
    "zh": "王伟 李娜 张敏 刘洋 北京市 上海市 广州市 有限公司 客户 订单 已付款 谢谢 中华人民共和国",
    "tw": "王小明 李美麗 張志豪 臺北市 高雄市 臺中市 有限公司 客戶 訂單 已付款 謝謝",
    "ko": "김철수 이영희 박민수 서울특별시 부산광역시 주식회사 고객 주문 결제완료 감사합니다",
    "de": "Müller Schröder Jäger Köhler Krüger Weiß Schäfer Böhm Zürich Köln Straße Grüße für",
    "fr": "Lefèvre Gérard François Hélène Béatrice Noël Besançon Orléans Nîmes payée reçue où été",
    "es": "García Martínez Hernández López Muñoz Núñez Peña Málaga Córdoba Logroño señor año José",
    "sv": "Åberg Öberg Sjöström Lindström Björk Göteborg Malmö Västerås beställning Åsa Märta",
    "da": "Sørensen Jørgensen Møller Kjær Ærø Århus København Tromsø Ødegård Bjørn øl",
}
WRITTEN_IN = {
    "cs": ["windows-1250", "ISO-8859-2"], "pl": ["windows-1250", "ISO-8859-2"],
    "hu": ["windows-1250", "ISO-8859-2"], "tr": ["windows-1254", "ISO-8859-9"],
    "lt": ["windows-1257", "ISO-8859-13"], "lv": ["windows-1257", "ISO-8859-13"],
    "he": ["windows-1255", "ISO-8859-8"], "th": ["windows-874", "ISO-8859-11"],
    "ru": ["windows-1251", "KOI8-R", "IBM866", "ISO-8859-5"],
    "el": ["windows-1253", "ISO-8859-7"], "ar": ["windows-1256", "ISO-8859-6"],
    "ja": ["Shift_JIS", "EUC-JP", "ISO-2022-JP"], "zh": ["GBK", "GB18030"], "tw": ["Big5"],
    "ko": ["EUC-KR"], "de": ["windows-1252", "macintosh", "IBM850"],
    "fr": ["windows-1252", "macintosh", "IBM850"], "es": ["windows-1252", "ISO-8859-1"],
    "sv": ["windows-1252"], "da": ["windows-1252"],
}  # fmt: skip
CASES = [(language, name) for language, names in WRITTEN_IN.items() for name in names]


def table(language: str, rows: int, seed: int) -> str:
    """A table of names and places."""
    chosen = random.Random(seed)
    words = WORDS[language].split()
    lines = [f"{chosen.choice(words)},{chosen.choice(words)},{i} x" for i in range(rows)]
    return "\r\n".join(["Last_Name,City,Note", *lines, ""])


def outcome(text: str, name: str) -> str:
    """Whether a text in an encoding is read `right`, `rejected` (or marked as damage), `wrong`."""
    data = text.encode(ENCODINGS[name])
    try:
        found = b"".join(to_utf8([data], sniff(ByteStream([data]), None).encoding)).decode()
    except FileNotSupported:
        return "rejected"
    return "right" if found == text else "rejected" if BAD_BYTE in found else "wrong"


def main() -> None:
    """Print a line for each size."""
    for rows in (1, 3, 10, 100):
        outcomes = [
            outcome(table(lang, rows, seed), name) for lang, name in CASES for seed in range(8)
        ]
        shares = (
            f"{100 * outcomes.count(o) / len(outcomes):.0f} %"
            for o in ("right", "rejected", "wrong")
        )
        print(f"| {rows} | {' | '.join(shares)} |")


if __name__ == "__main__":
    main()
