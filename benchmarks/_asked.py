"""The pages whose time and statements are counted, each asked for by a person who may see it.

Every page of the application is here: a test compares the list with the routes. Names in braces
are what `benchmarks.pages.examples` finds in the database.
"""

from typing import Final

OFFICER: Final = "thuky"
ADMINISTRATOR: Final = "quantri"
CHAIR: Final = "chutoa"
SITE: Final = "diemcau1"
AUDITOR: Final = "kiemtra"
CLERK: Final = "vanthu"
TECHNICIAN: Final = "kythuat"
NOBODY: Final = ""

_MEETING: Final = "/cuoc-hop/{ended}"
_YEAR: Final = "tu=2020-01-01&den=2020-12-31"
_TEN_YEARS: Final = "tu=2016-01-01&den=2025-12-31"

PAGES: Final = (
    ("login", "/dang-nhap", NOBODY),
    ("today", "/hom-nay", OFFICER),
    ("today of a site", "/hom-nay", SITE),
    ("week", "/lich-tuan", OFFICER),
    ("week in public", "/cong-khai/lich-tuan", NOBODY),
    ("own calendar", "/lich-cua-toi", OFFICER),
    ("meetings", "/cuoc-hop", OFFICER),
    ("meetings of a site", "/cuoc-hop", SITE),
    ("meetings found", "/cuoc-hop?q=giao+ban", OFFICER),
    ("meetings of a chair", "/cuoc-hop", CHAIR),
    ("new meeting", "/cuoc-hop/tao", OFFICER),
    ("edit a meeting", "/cuoc-hop/{upcoming}/sua", OFFICER),
    ("meeting", f"{_MEETING}/tong-quan", OFFICER),
    ("meeting, a site", f"{_MEETING}/tong-quan", SITE),
    ("sites of a meeting", f"{_MEETING}/thanh-phan", OFFICER),
    ("letters", f"{_MEETING}/giay-moi", OFFICER),
    ("invitation paper", f"{_MEETING}/giay-moi/van-ban", OFFICER),
    ("replies", f"{_MEETING}/tra-loi", OFFICER),
    ("reply for a site", "/cuoc-hop/{upcoming}/tra-loi/{upcoming_site}", OFFICER),
    ("reply by link", "/tra-loi/{join_code}", NOBODY),
    ("line checks", "/cuoc-hop/{upcoming}/kiem-tra", OFFICER),
    ("line check of a site", "/cuoc-hop/{upcoming}/kiem-tra/{upcoming_site}", OFFICER),
    ("line test", "/cuoc-hop/{upcoming}/kiem-tra/{upcoming_site}/thu", TECHNICIAN),
    ("line test by link", "/vao/{join_code}/kiem-tra", NOBODY),
    ("papers", f"{_MEETING}/tai-lieu", OFFICER),
    ("attendance", f"{_MEETING}/diem-danh", OFFICER),
    ("attendance by delegate", f"{_MEETING}/diem-danh?xem=dai-bieu", OFFICER),
    ("attendance by unit", f"{_MEETING}/diem-danh?xem=don-vi", OFFICER),
    ("attendance of a site", f"{_MEETING}/diem-danh/{{ended_site}}", OFFICER),
    ("attendance of a delegate", f"{_MEETING}/diem-danh/dai-bieu/{{delegate}}", OFFICER),
    ("recordings", f"{_MEETING}/ban-ghi", OFFICER),
    ("minutes", f"{_MEETING}/bien-ban", OFFICER),
    ("minutes as they were", f"{_MEETING}/bien-ban/lich-su/1", OFFICER),
    ("minutes compared", f"{_MEETING}/bien-ban/so-sanh?tu=1&den=1", OFFICER),
    ("conclusions", f"{_MEETING}/ket-luan", OFFICER),
    ("log", f"{_MEETING}/nhat-ky", OFFICER),
    ("tasks", "/nhiem-vu", OFFICER),
    ("tasks of a site", "/nhiem-vu", SITE),
    ("search", "/tim-kiem?q=giao+ban", OFFICER),
    ("statistics of a year", f"/thong-ke?{_YEAR}", OFFICER),
    ("statistics of ten years", f"/thong-ke?{_TEN_YEARS}", OFFICER),
    ("statistics, meetings", f"/thong-ke/cuoc-hop?{_TEN_YEARS}", OFFICER),
    ("statistics, method", "/thong-ke/cach-tinh", OFFICER),
    ("audit log", "/nhat-ky", AUDITOR),
    ("tree", "/quan-tri/co-cau", ADMINISTRATOR),
    ("tree found", "/quan-tri/co-cau?q=dak", ADMINISTRATOR),
    ("unit", "/quan-tri/don-vi/{unit}", ADMINISTRATOR),
    ("new unit", "/quan-tri/don-vi/tao", ADMINISTRATOR),
    ("edit a unit", "/quan-tri/don-vi/{unit}/sua", ADMINISTRATOR),
    ("merge a unit", "/quan-tri/don-vi/{unit}/thay-doi/sap-nhap", ADMINISTRATOR),
    ("sites", "/quan-tri/diem-cau", ADMINISTRATOR),
    ("site", "/quan-tri/diem-cau/{site}", ADMINISTRATOR),
    ("calendar of a site", "/quan-tri/diem-cau/{site}/lich", ADMINISTRATOR),
    ("new site", "/quan-tri/diem-cau/tao", ADMINISTRATOR),
    ("people", "/quan-tri/nguoi", ADMINISTRATOR),
    ("people found", "/quan-tri/nguoi?q=nguyen+thi", ADMINISTRATOR),
    ("person", "/quan-tri/nguoi/1", ADMINISTRATOR),
    ("edit a person", "/quan-tri/nguoi/1/sua", ADMINISTRATOR),
    ("new person", "/quan-tri/nguoi/tao", ADMINISTRATOR),
    ("accounts", "/quan-tri/tai-khoan", ADMINISTRATOR),
    ("accounts found", "/quan-tri/tai-khoan?q=nguyen+thi", ADMINISTRATOR),
    ("account", "/quan-tri/tai-khoan/1", ADMINISTRATOR),
    ("new account", "/quan-tri/tai-khoan/tao", ADMINISTRATOR),
    ("import", "/quan-tri/nhap", ADMINISTRATOR),
    ("files kept", "/luu-tru", CLERK),
    ("term of a file", "/luu-tru/ho-so/{ended}", CLERK),
    ("terms", "/luu-tru/thoi-han", CLERK),
    ("destructions", "/luu-tru/tieu-huy", CLERK),
    ("personal data", "/luu-tru/ca-nhan?q=an", CLERK),
    ("personal data of one", "/luu-tru/ca-nhan/1", CLERK),
    ("package of another place", "/luu-tru/nhap", ADMINISTRATOR),
    ("days off", "/quan-tri/ngay-nghi?nam=2026", ADMINISTRATOR),
    ("planning rules", "/quan-tri/quy-tac", ADMINISTRATOR),
    ("templates of papers", "/quan-tri/mau-van-ban", ADMINISTRATOR),
    ("API keys", "/quan-tri/khoa-api", ADMINISTRATOR),
    ("password", "/mat-khau", OFFICER),
    ("room by link", "/vao/{join_code}", NOBODY),
    ("room", "/phong/{upcoming}", OFFICER),
)
