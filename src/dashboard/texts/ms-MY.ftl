# Semua yang disebut oleh halaman pemegang kad, dalam bahasa Melayu.

## Frame of every page

service-name = Jejak karbon
skip-link = Langkau ke kandungan
overview-link = Gambaran keseluruhan
language-heading = Bahasa
view-ends = Paparan ini akan ditutup pada { $time } { $zone }.
view-ends-soon = Paparan ini akan ditutup dalam masa 2 minit.
keep-open = Kekalkan terbuka
fixed-sentence = Tiada apa-apa di sini menjejaskan kad, had atau kredit anda.

## Figures

figure-kg = { $number } kg
figure-tonnes = { $number } t
figure-under-one = kurang daripada 1 kg
figure-under-minus-one = antara 0 dan −1 kg
figure-about = kira-kira { $figure }
about = kira-kira
exact-grams = { $number } g CO₂e
exact-pounds = { $number } lb CO₂e
column-footprint = Jejak
payments-count = { $count ->
   *[other] { $shown } transaksi
}

## Confidence

confidence = Tahap keyakinan
confidence-high = tinggi
confidence-medium = sederhana
confidence-low = rendah
confidence-none = tidak dikira

## Overview: month and total

overview-title = Jejak karbon, { $month }
month-heading = Bulan
month-select = Pilih bulan
month-show = Papar
month-previous = Bulan sebelumnya: { $month }
month-next = Bulan seterusnya: { $month }
total-heading = Jumlah { $month }
total-estimate = Anggaran
total-so-far = Anggaran, setakat bulan ini
total-so-far-incomplete = Anggaran, setakat bulan ini, belum lengkap
total-incomplete = Anggaran, belum lengkap
total-coverage = { $count ->
   *[other] { $scored } daripada { $shown } transaksi dikira, { $share } daripada perbelanjaan
}
total-no-payments = Tiada transaksi pada { $month }.
total-only-unscored = Tiada yang dikira bulan ini: semua transaksi daripada jenis yang tidak dikira.
total-negative = Bayaran balik melebihi pembelian bulan ini.
exact-heading = Angka tepat dan data yang tiada
exact-sum = Jumlah tepat
exact-confidence = Bahagian jejak mengikut tahap keyakinan
exact-not-counted = Tidak dikira
exact-why = Dianggarkan daripada amaun yang dibayar, bukan daripada barang yang dibeli.
exact-updated = Kali terakhir dikira
exact-method = Versi kaedah

## Overview: state of the calculation

scoring-heading = Masih mengira
scoring-waiting = Kami sedang memproses 12 bulan lepas, biasanya siap dalam masa 24 jam.
scoring-progress = { $scored } daripada { $total } transaksi telah siap.
scoring-again = Semak semula
scoring-failed-heading = Tidak tersedia
scoring-failed = Jejak karbon tidak dapat dikira. Cubaan seterusnya dalam masa 24 jam.
empty-heading = Belum ada transaksi
empty-text = Transaksi kad anda bagi 12 bulan lepas muncul di sini setelah dijelaskan, biasanya dalam masa 24 jam selepas pendaftaran. Transaksi baharu muncul beberapa hari selepas pembelian.
notice-heading = Kaedah telah berubah
notice-text = Pada { $date } transaksi anda dikira semula dengan kaedah versi { $version }. Jumlah 12 bulan lepas ialah { $old } sebelum ini dan { $new } sekarang.

## Overview: introduction

intro-heading = Apa yang dipaparkan
intro-estimate-heading = Anggaran daripada perbelanjaan
intro-estimate = Setiap transaksi ditukar kepada kilogram CO₂e berdasarkan amaun dan jenis kedai. Ia betul secara purata, bukan bagi setiap pembelian.
intro-missing-heading = Sebahagian daripada gambaran
intro-missing = Wang tunai, kad lain, sewa yang dibayar melalui pindahan dan perkhidmatan awam tidak termasuk.
intro-card-heading = Tiada kesan pada kad anda
intro-done = Faham
intro-skip = Langkau
intro-again = Papar pengenalan semula

## Overview: comparisons

self-heading = Berbanding bulan anda sendiri
self-month = { $month }: kira-kira { $figure }
self-less-previous = kira-kira { $figure } lebih rendah daripada { $month }
self-more-previous = kira-kira { $figure } lebih tinggi daripada { $month }
self-same-previous = lebih kurang sama dengan { $month }
self-less-usual = kira-kira { $figure } lebih rendah daripada bulan biasa anda
self-more-usual = kira-kira { $figure } lebih tinggi daripada bulan biasa anda
self-same-usual = lebih kurang sama dengan bulan biasa anda
self-usual-note = { $count ->
   *[other] Bulan biasa ialah median bagi { $shown } bulan penuh yang lepas.
}
benchmark-heading = Purata sebulan
benchmark-who = Siapa
benchmark-you = Anda
benchmark-country = Purata negara
benchmark-world = Purata dunia
benchmark-goal = Matlamat PBB
benchmark-coverage = Kad anda menunjukkan sebahagian daripada kehidupan anda; angka negara menunjukkan semuanya: industri, perkhidmatan awam, pemanasan dan pembelian yang dibayar dengan cara lain.
benchmark-gases = Tiga bar ini mengira CO₂ sahaja, seperti statistik negara. Semua angka lain di sini mengira setiap gas rumah hijau (CO₂e).
benchmark-missing = Tiada angka negara bagi { $country }, jadi purata dunia dipaparkan.
benchmark-none = Tiada angka untuk dibandingkan bagi { $country }.
benchmark-sources = Sumber
benchmark-own = { $count ->
   *[other] Anda: purata bagi { $shown } bulan penuh anda yang lepas.
}
benchmark-country-source = Purata: CO₂ yang dilepaskan bagi setiap orang pada { $year } ({ $place }), dibahagi 12. Our World in Data dan Global Carbon Project, lesen CC BY 4.0.
benchmark-goal-source = Matlamat PBB: separuh daripada nilai { $year } ({ $place }), dibahagi 12.
place-world = dunia

## Overview: twelve months

months-heading = 12 bulan
months-highest = Paling tinggi: { $month }, { $figure }.
months-table = Papar sebagai jadual
months-month = Bulan
months-running = setakat ini
months-none = tiada data
months-line-country = Purata negara (CO₂)
months-line-world = Purata dunia (CO₂)
months-line-goal = Matlamat PBB (CO₂)
months-legend-running = bulan semasa

## Overview: categories, what if, payments, donations

categories-heading = Mengikut kategori
categories-category = Kategori
categories-none = Tiada apa-apa untuk dipaparkan bagi { $month }.
categories-change-more = lebih { $figure } daripada bulan sebelumnya
categories-change-less = kurang { $figure } daripada bulan sebelumnya
categories-change-same = lebih kurang sama seperti bulan sebelumnya
what-if-heading = Bagaimana jika…
what-if-category = Kategori
what-if-cut = Kurang sebanyak
what-if-show = Papar
what-if-result = Jika perbelanjaan { $category } dikurangkan sebanyak { $percent }, jejak karbon berkurang kira-kira { $figure } sebulan.
what-if-basis = { $count ->
   *[other] Dikira daripada purata { $shown } bulan penuh transaksi anda sendiri: { $before } sebulan sekarang, { $after } selepas itu.
}
payments-heading = Transaksi
payments-all = Semua transaksi
payments-none = Tiada transaksi.
donation-heading = Sokong projek
donation-note = Derma tidak mengubah jejak karbon.
about-heading = Perihal perkhidmatan ini
about-provider = Perkhidmatan { $issuer }.
about-card = Kad berakhir { $digits }.
about-method = Kaedah versi { $version }, berkuat kuasa sejak { $date }.
about-method-plain = Kaedah versi { $version }.
link-method = Cara ia berfungsi
link-terms = Terma
link-privacy = Notis privasi
link-opt-out = Berhenti menggunakan perkhidmatan ini
link-return = Kembali ke aplikasi

## Category page

category-title = { $category }, { $month }
category-months = Bulan
category-share = { $share } daripada jejak bulan tersebut
category-payments = Transaksi pada { $month }

## Payments page

payments-title = Transaksi, { $month }
payments-title-all = Transaksi
payments-title-category = Transaksi: { $category }
payments-range = { $first } hingga { $last } daripada { $total }
payments-previous-page = Halaman sebelumnya
payments-next-page = Halaman seterusnya
payments-pages = Halaman
payments-date = Tarikh
payments-amount = Amaun
payments-refund = bayaran balik
payments-reversal = pembalikan
payments-not-counted = tidak dikira

## Payment page

payment-title = Bagaimanakah ini dianggarkan?
payment-facts = Transaksi
payment-status = Jenis
payment-status-purchase = bayaran
payment-unknown-merchant = Bayaran kad
payment-category = Kategori
payment-category-mcc = daripada kod kategori kedai { $mcc }
payment-country = Negara kedai
payment-steps = Pengiraan
payment-converted = Ditukar
payment-converted-value = { $amount }, pada kadar { $date }
payment-price-year = Pada harga { $year }
payment-price-year-value = { $amount } (× { $factor })
payment-factor = Faktor pelepasan
payment-factor-value = { $factor } kg CO₂e setiap { $unit }
payment-quantity = { $carrier }
payment-quantity-value = { $quantity } pada { $price } setiap { $unit }, { $factor } kg CO₂e setiap { $unit }
carrier-petrol = Petrol
carrier-diesel = Diesel
carrier-natural_gas = Gas asli
carrier-electricity = Elektrik
unit-litre = liter
unit-kwh = kWh
payment-source = Sumber faktor
payment-source-europe = FIGARO (Eurostat), dengan struktur harga dan VAT
payment-source-usa = Faktor rantaian bekalan US EPA, dengan barangan import dibetulkan
payment-source-energy = EPA Emission Factors Hub, NGA Factors; harga dan grid mengikut negara
payment-sum = Pengiraan dalam satu baris
payment-result = Hasil
payment-stored = Angka yang disimpan dibuat dengan data pada harinya; data hari ini memberi jumlah lain. Angka yang disimpan dikira.
payment-reversed = Pembalikan ini menolak tepat apa yang dikira oleh transaksi asal, jadi tiada pengiraan sendiri.
reason-measured_quantity = Kuantiti telah diukur.
reason-sector_factor = Satu jenis produk atau perkhidmatan, dengan faktor sektornya.
reason-mixed_basket = Kedai menjual banyak jenis barang; apa yang dibeli tidak diketahui.
reason-rough_sector = Faktor sektor ini hanya anggaran kasar.
reason-quantity_from_price = Kuantiti tenaga dikira daripada harga.
payment-nothing = Transaksi ini tidak dikira: ia tidak menambah apa-apa pada jumlah.
unscored-not-scored = Belum ada yang dibeli, atau tidak diketahui apa: { $category }.
unscored-invalid-mcc = Kod kategori kedai tidak diketahui.
unscored-unsupported-currency = Tiada kadar pertukaran bagi mata wang ini.
unscored-out-of-range = Amaun tidak dapat dikira.
payment-refund-note = Bayaran balik dikira pada bulan ia dijelaskan.

## Method page

method-title = Cara ia berfungsi
method-estimate-heading = Daripada transaksi kepada jejak karbon
method-estimate = Amaun ditukar pada kadar hari itu, dibawa kepada harga satu tahun, dan didarab dengan purata pelepasan jenis kedai itu di negaranya. Bagi bahan api dan elektrik, harga menunjukkan berapa liter atau kilowatt-jam dibeli, dan ini didarab dengan pelepasan daripada penghasilan dan penggunaannya.
method-limits-heading = Had
method-limits = Dua bakul dengan harga yang sama dari jenis kedai yang sama mendapat angka yang sama, apa pun isinya. Barangan mahal kelihatan mengeluarkan lebih daripada sebenarnya, barangan murah kurang. Hanya transaksi yang dijelaskan dikira.
method-confidence-heading = Tahap keyakinan
method-confidence-high = Tinggi: daripada kuantiti yang diukur.
method-confidence-medium = Sederhana: satu jenis produk atau perkhidmatan, dengan faktor sektornya.
method-confidence-low = Rendah: bakul campuran, kuantiti yang dikira daripada harga, sektor dengan faktor kasar.
method-rounding = Jumlah dibundarkan kepada dua digit kerana lebih daripada itu tidak benar.
method-refunds-heading = Bayaran balik
method-refunds = Bayaran balik dikira dengan tanda tolak pada bulan ia dijelaskan. Oleh itu sesuatu bulan boleh jatuh di bawah sifar.
method-unscored-heading = Apa yang tidak dikira
method-unscored = Wang tunai, pindahan, pinjaman, nilai tersimpan, taruhan, cukai, denda dan sekuriti. Semua ini tidak menambah apa-apa, dan bahagiannya daripada perbelanjaan dipaparkan.
method-sources-heading = Sumber
method-sources = Faktor pelepasan: FIGARO (Eurostat) bagi 30 negara Eropah, US EPA bagi yang lain. Kadar pertukaran: Bank Pusat Eropah. Harga: Eurostat, Suruhanjaya Eropah, pihak berkuasa AS. Purata negara: Our World in Data.
method-versions-heading = Versi
method-privacy-heading = Siapa melihat apa
method-privacy = Anda dan perkhidmatan { $issuer } melihat angka ini. Ia disimpan secara tersulit, tidak dijual, dan dipadamkan apabila anda berhenti menggunakan perkhidmatan ini. Tiada halaman paparan ini memuatkan apa-apa dari tempat lain.

## Introduction page

intro-title = Pengenalan

## Pages that end a visit

closed-title = Paparan ini telah ditutup
closed-text = Buka semula daripada aplikasi bank.
closed-no-cookie = Aplikasi ini tidak menyimpan kuki, jadi paparan tidak dapat kekal terbuka. Benarkan kuki dan buka semula.
missing-title = Halaman tidak dijumpai
missing-text = Tiada apa-apa di alamat ini.
busy-title = Sebentar
busy-text = { $count ->
   *[other] Cuba lagi dalam { $shown } saat.
}
failed-title = Berlaku kesilapan
failed-text = Halaman tidak dapat dibuat. Jika anda melaporkannya, nyatakan nombor { $id }.

## Spending areas

area-unknown = Kategori tidak diketahui
area-groceries = Barangan runcit
area-specialty_food = Makanan khas dan kedai serbaneka
area-alcohol = Bir, wain dan minuman keras
area-tobacco = Tembakau
area-restaurants = Makan di luar
area-fast_food = Makanan segera
area-bars = Bar dan kelab
area-general_merchandise = Gedung serbaneka
area-online_retail = Beli-belah dalam talian
area-clothing = Pakaian
area-shoes_leather = Kasut dan kulit
area-electronics = Elektronik
area-furniture_home = Perabot dan rumah
area-appliances = Perkakas rumah
area-diy_garden = Perkakasan dan taman
area-sports_hobby = Sukan, mainan dan hobi
area-books_media = Buku dan akhbar
area-jewelry_gifts = Barang kemas dan hadiah
area-health_beauty = Farmasi dan kosmetik
area-pets = Haiwan peliharaan
area-second_hand = Barangan terpakai
area-business_supplies = Bekalan perniagaan
area-road_fuel = Bahan api
area-ev_charging = Pengecasan kereta elektrik
area-vehicles = Kenderaan
area-vehicle_service = Alat ganti dan servis
area-parking_tolls = Parkir dan tol
area-public_transport = Pengangkutan awam
area-taxi = Teksi dan e-hailing
area-flights = Penerbangan
area-car_rental = Sewa kereta
area-sea_travel = Pelayaran dan feri
area-freight = Pindah rumah dan pos
area-utilities = Elektrik, gas dan air
area-heating_fuel = Bahan api pemanas
area-housing = Sewa dan hartanah
area-home_services = Perkhidmatan rumah
area-telecom = Telefon, internet dan TV
area-hotels = Hotel
area-travel_agencies = Pakej pelancongan
area-entertainment = Pawagam dan acara
area-sport_recreation = Sukan dan rekreasi
area-digital_media = Media digital dan permainan
area-health = Kesihatan
area-education = Pendidikan
area-childcare = Penjagaan kanak-kanak
area-personal_services = Perkhidmatan peribadi
area-professional_services = Perkhidmatan profesional
area-insurance_finance = Insurans dan kewangan
area-organizations = Badan amal dan keahlian
area-government = Perkhidmatan kerajaan
area-repair = Pembaikan dan sewaan
area-cash = Wang tunai
area-transfers = Pindahan dan hutang
area-gambling = Taruhan
area-taxes_fines = Cukai dan denda
area-securities = Sekuriti
area-network_internal = Rangkaian kad
